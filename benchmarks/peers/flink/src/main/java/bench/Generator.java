package bench;

import static bench.Mixing.draw;

import java.io.Serializable;

/** Twin of benchmarks/nexmark/generator.ts: the same events for the same options. */
public final class Generator implements Serializable {
  private static final int PER_EPOCH = 50, AUCTIONS_PER_EPOCH = 3, FIRST_ID = 1_000;
  private static final int FIRST_CATEGORY = 10, CATEGORIES = 5, HOT_GROUP = 100;
  private static final int ACTIVE_PERSONS = 1_000, AUCTIONS_IN_FLIGHT = 100, LEAD = 10;
  private static final int HORIZON_EVENTS = AUCTIONS_IN_FLIGHT * PER_EPOCH / AUCTIONS_PER_EPOCH;

  /** Events of this generator. */
  public final long count;
  private final int seed;
  private final long firstId, baseTimeMs, groupSize;
  private final double delayUs;

  public Generator(long events, int seed, double eventsPerSecond) {
    this(events, seed, eventsPerSecond, 1, 0, 1_600_000_000_000L, 1);
  }

  public Generator(
      long events,
      int seed,
      double eventsPerSecond,
      int generators,
      int index,
      long baseTimeMs,
      long outOfOrderGroupSize) {
    long share = events / generators;
    this.count = index == generators - 1 ? events - share * (generators - 1) : share;
    this.firstId = share * index;
    this.seed = Mixing.mix32(seed);
    this.delayUs = 1_000_000 / eventsPerSecond * generators;
    this.baseTimeMs = baseTimeMs;
    this.groupSize = outOfOrderGroupSize;
  }

  /** Event `n` of this generator, 0-based. */
  public Event at(long n) {
    long number = groupSize == 1 ? n : n / groupSize * groupSize + n * 953 % groupSize;
    long id = firstId + number;
    long epoch = id / PER_EPOCH;
    int offset = (int) (id - epoch * PER_EPOCH);
    int hash = Mixing.hashOf(seed, id);
    if (offset > AUCTIONS_PER_EPOCH) return Event.of(bid(hash, epoch, timeMs(number)));
    if (offset > 0) {
      long auctionId = FIRST_ID + epoch * AUCTIONS_PER_EPOCH + offset - 1;
      return Event.of(auction(hash, epoch, auctionId, number));
    }
    return Event.of(person(hash, epoch, timeMs(number)));
  }

  /** A bid as of event `n`, but for this auction by this bidder. */
  public Bid bidAt(long n, long auction, long bidder) {
    return bidOf(Mixing.hashOf(seed, n), timeMs(n), auction, bidder);
  }

  /** An auction as of event `n`, but with this id. */
  public Auction auctionAt(long n, long id) {
    return auction(Mixing.hashOf(seed, n), n / PER_EPOCH, id, n);
  }

  private long timeMs(long number) {
    return baseTimeMs + (long) (number * delayUs) / 1_000;
  }

  private Auction auction(int hash, long epoch, long id, long number) {
    int seller = draw(hash, 1), prices = draw(hash, 2), texts = draw(hash, 3);
    long timeMs = timeMs(number);
    long horizonMs = timeMs(number + HORIZON_EVENTS) - timeMs;
    Auction a = new Auction();
    a.id = id;
    a.itemName = Vocabulary.ITEM_NAMES[texts & 1_023];
    a.description = Vocabulary.DESCRIPTIONS[texts >>> 10 & 1_023];
    a.initialBid = Vocabulary.PRICES[prices & 0xffff];
    a.reserve = a.initialBid + Vocabulary.PRICES[prices >>> 16];
    a.dateTime = timeMs;
    a.expires = timeMs + 1 + (draw(hash, 4) >>> 1) % Math.max(horizonMs * 2, 1);
    a.seller = FIRST_ID + ((seller & 3) != 0 ? hotOf(epoch) : personNear(epoch, seller >>> 2));
    a.category = FIRST_CATEGORY + (draw(hash, 5) >>> 1) % CATEGORIES;
    a.extra = Vocabulary.AUCTION_EXTRAS[texts >>> 20 & 1_023];
    return a;
  }

  private static Bid bid(int hash, long epoch, long timeMs) {
    int auction = draw(hash, 1), bidder = draw(hash, 2);
    long last = epoch * AUCTIONS_PER_EPOCH + AUCTIONS_PER_EPOCH - 1;
    return bidOf(
        hash,
        timeMs,
        FIRST_ID + ((auction & 1) != 0 ? hotOf(last) : auctionNear(last, auction >>> 1)),
        FIRST_ID + ((bidder & 3) != 0 ? hotOf(epoch) + 1 : personNear(epoch, bidder >>> 2)));
  }

  private static Bid bidOf(int hash, long timeMs, long auction, long bidder) {
    int price = draw(hash, 3), where = draw(hash, 4);
    boolean isHot = (where & 1) != 0;
    int channel = isHot ? where >>> 1 & 3 : (where >>> 3) % Vocabulary.CHANNELS;
    Bid b = new Bid();
    b.auction = auction;
    b.bidder = bidder;
    b.price = Vocabulary.PRICES[price & 0xffff];
    b.channel = (isHot ? Vocabulary.HOT_CHANNELS : Vocabulary.CHANNEL_NAMES)[channel];
    b.url = (isHot ? Vocabulary.HOT_URLS : Vocabulary.CHANNEL_URLS)[channel];
    b.dateTime = timeMs;
    b.extra = Vocabulary.BID_EXTRAS[price >>> 16 & 1_023];
    return b;
  }

  private static Person person(int hash, long epoch, long timeMs) {
    int where = draw(hash, 1), texts = draw(hash, 2);
    Person p = new Person();
    p.id = FIRST_ID + epoch;
    p.name = Vocabulary.NAMES[(draw(hash, 3) >>> 1) % Vocabulary.NAMES.length];
    p.emailAddress = Vocabulary.EMAILS[texts & 1_023];
    p.creditCard = Vocabulary.CREDIT_CARDS[texts >>> 10 & 1_023];
    p.city = Vocabulary.CITIES[(where & 0xffff) % Vocabulary.CITIES.length];
    p.state = Vocabulary.STATES[(where >>> 16) % Vocabulary.STATES.length];
    p.dateTime = timeMs;
    p.extra = Vocabulary.PERSON_EXTRAS[texts >>> 20 & 1_023];
    return p;
  }

  private static long hotOf(long last) {
    return last / HOT_GROUP * HOT_GROUP;
  }

  private static long personNear(long last, int chance) {
    long active = Math.min(last + 1, ACTIVE_PERSONS);
    return last + 1 - active + chance % (active + LEAD);
  }

  private static long auctionNear(long last, int chance) {
    long first = Math.max(last - AUCTIONS_IN_FLIGHT, 0);
    return first + chance % (last - first + 1 + LEAD);
  }
}
