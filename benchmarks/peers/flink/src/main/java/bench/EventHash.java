package bench;

/**
 * Prints the hash of all events of a generator, and how long it took to make them:
 * events seed eventsPerSecond generators index outOfOrderGroupSize firstEvent
 */
public final class EventHash {
  public static void main(String[] a) {
    long events = Long.parseLong(a[0]), first = Long.parseLong(a[6]);
    Generator generator =
        new Generator(
            events,
            Integer.parseInt(a[1]),
            Double.parseDouble(a[2]),
            Integer.parseInt(a[3]),
            Integer.parseInt(a[4]),
            1_600_000_000_000L,
            Long.parseLong(a[5]));
    int hash = 0;
    for (long n = first; n < generator.count; n++) hash = Event.add(hash, generator.at(n));
    System.out.println(hash);
  }

  private EventHash() {}
}
