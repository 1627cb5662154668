package bench;

import java.util.HashMap;
import java.util.Map;

/** `--name value` pairs. */
final class Arguments {
  private final Map<String, String> values = new HashMap<>();

  Arguments(String[] args) {
    for (int i = 0; i + 1 < args.length; i += 2) values.put(args[i].substring(2), args[i + 1]);
  }

  String text(String name) {
    String value = values.get(name);
    if (value == null) throw new IllegalArgumentException("--" + name + " is missing");
    return value;
  }

  String text(String name, String fallback) {
    return values.getOrDefault(name, fallback);
  }

  long number(String name) {
    return (long) Double.parseDouble(text(name));
  }
}
