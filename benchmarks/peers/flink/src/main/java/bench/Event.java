package bench;

/** One of person, auction and bid; the others are null. */
public class Event {
  public static final int PERSON = 0, AUCTION = 1, BID = 2;
  public int kind;
  public Person person;
  public Auction auction;
  public Bid bid;

  static Event of(Person person) {
    Event event = new Event();
    event.kind = PERSON;
    event.person = person;
    return event;
  }

  static Event of(Auction auction) {
    Event event = new Event();
    event.kind = AUCTION;
    event.auction = auction;
    return event;
  }

  static Event of(Bid bid) {
    Event event = new Event();
    event.kind = BID;
    event.bid = bid;
    return event;
  }

  public long timeMs() {
    return kind == BID ? bid.dateTime : kind == AUCTION ? auction.dateTime : person.dateTime;
  }

  /** Twin of `addEvent` in benchmarks/nexmark/event.ts. */
  static int add(int hash, Event event) {
    switch (event.kind) {
      case PERSON: {
        Person p = event.person;
        hash = longs(Mixing.addInt(hash, 0), p.id, p.dateTime);
        return texts(hash, p.name, p.emailAddress, p.creditCard, p.city, p.state, p.extra);
      }
      case AUCTION: {
        Auction a = event.auction;
        hash = longs(Mixing.addInt(hash, 1), a.id, a.initialBid, a.reserve, a.dateTime);
        hash = longs(hash, a.expires, a.seller, a.category);
        return texts(hash, a.itemName, a.description, a.extra);
      }
      default: {
        Bid b = event.bid;
        hash = longs(Mixing.addInt(hash, 2), b.auction, b.bidder, b.price, b.dateTime);
        return texts(hash, b.channel, b.url, b.extra);
      }
    }
  }

  private static int longs(int hash, long... values) {
    for (long value : values) hash = Mixing.addLong(hash, value);
    return hash;
  }

  private static int texts(int hash, String... values) {
    for (String value : values) hash = Mixing.addString(hash, value);
    return hash;
  }
}
