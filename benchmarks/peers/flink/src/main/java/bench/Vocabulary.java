package bench;

import java.util.function.IntFunction;

/** Twin of benchmarks/nexmark/vocabulary.ts. */
final class Vocabulary {
  static final int CHANNELS = 10_000;
  private static final int POOL_SIZE = 1_024;

  static final String[] HOT_CHANNELS = {"Google", "Facebook", "Baidu", "Apple"};
  static final String[] STATES = {"AZ", "CA", "ID", "OR", "WA", "WY"};
  static final String[] CITIES = {
    "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
    "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"
  };
  private static final String[] FIRST_NAMES =
      "Peter,Paul,Luke,John,Saul,Vicky,Kate,Julie,Sarah,Deiter,Walter".split(",");
  private static final String[] LAST_NAMES =
      "Shultz,Abrams,Spencer,White,Bartels,Walton,Smith,Jones,Noris".split(",");

  static final String[] NAMES =
      texts(
          FIRST_NAMES.length * LAST_NAMES.length,
          i -> FIRST_NAMES[i / LAST_NAMES.length] + " " + LAST_NAMES[i % LAST_NAMES.length]);
  static final String[] EMAILS = pool(1, i -> letters(i, 1, 7) + "@" + letters(i, 2, 5) + ".com");
  static final String[] CREDIT_CARDS =
      pool(2, i -> digits(i, 1) + " " + digits(i, 2) + " " + digits(i, 3) + " " + digits(i, 4));
  static final String[] ITEM_NAMES = pool(3, i -> letters(i, 1, 20));
  static final String[] DESCRIPTIONS = pool(4, i -> letters(i, 1, 100));
  static final String[] BID_EXTRAS = pool(5, i -> filler(i, 54, 82));
  static final String[] PERSON_EXTRAS = pool(6, i -> filler(i, 92, 138));
  static final String[] AUCTION_EXTRAS = pool(7, i -> filler(i, 266, 398));

  static final String[] HOT_URLS = texts(HOT_CHANNELS.length, i -> urlOf(Mixing.mix32(~i)));
  static final String[] CHANNEL_NAMES = texts(CHANNELS, i -> "channel-" + i);
  static final String[] CHANNEL_URLS =
      texts(
          CHANNELS,
          i -> {
            String url = urlOf(Mixing.mix32(i));
            return (Mixing.draw(i, 9) >>> 1) % 10 > 0 ? url + "&channel_id=" + i : url;
          });

  static final long[] PRICES = pricesOf();

  private static long[] pricesOf() {
    double step = 1.0002108301829544;
    long[] prices = new long[65_536];
    double price = 100.01054095358921;
    for (int i = 0; i < prices.length; i++) {
      prices[i] = (long) (price + 0.5);
      price *= step;
    }
    return prices;
  }

  private static String urlOf(int hash) {
    String path = letters(hash, 1, 5) + "/" + letters(hash, 2, 5) + "/" + letters(hash, 3, 5);
    return "https://www.nexmark.com/" + path + "/item.htm?query=1";
  }

  private static String digits(int hash, int k) {
    return String.format("%04d", (Mixing.draw(hash, k) >>> 1) % 10_000);
  }

  private static String[] pool(int salt, IntFunction<String> textOf) {
    return texts(POOL_SIZE, i -> textOf.apply(Mixing.draw(i, salt)));
  }

  private static String[] texts(int size, IntFunction<String> textOf) {
    String[] texts = new String[size];
    for (int i = 0; i < size; i++) texts[i] = textOf.apply(i);
    return texts;
  }

  private static String filler(int hash, int shortest, int longest) {
    return letters(hash, 1, shortest + (Mixing.draw(hash, 2) >>> 1) % (longest - shortest + 1));
  }

  private static String letters(int hash, int salt, int length) {
    int start = Mixing.draw(hash, salt);
    StringBuilder text = new StringBuilder(length);
    for (int i = 0; i < length; i++) {
      text.append((char) (97 + (Mixing.draw(start, i + 1) >>> 1) % 26));
    }
    return text.toString();
  }

  private Vocabulary() {}
}
