package bench;

import java.io.Serializable;

/** Twin of benchmarks/state/state-events.ts. */
public final class StateEvents implements Serializable {
  private static final int PER_ROUND = 49, AUCTIONS_PER_ROUND = 3;
  private final boolean isPairs;
  private final KeyDraw draw;
  private final Generator generator = new Generator((1L << 53) - 1, 1, 100_000);

  public StateEvents(String query, KeyDraw draw) {
    this.isPairs = query.equals("q18");
    this.draw = draw;
  }

  public Event at(long n) {
    int keys = draw.keys;
    if (isPairs) {
      long id = KeyDraw.idOfRank(n < keys ? n : draw.rank(n));
      return Event.of(generator.bidAt(n, 1_000 + (id & 0xffff), 1_000 + (id >>> 16)));
    }
    if (n < keys) return Event.of(generator.auctionAt(n, KeyDraw.idOfRank(n)));
    long round = (n - keys) / PER_ROUND;
    int offset = (int) (n - keys - round * PER_ROUND);
    long newest = keys + round * AUCTIONS_PER_ROUND;
    if (offset < AUCTIONS_PER_ROUND) {
      return Event.of(generator.auctionAt(n, KeyDraw.idOfRank(newest + offset)));
    }
    int chance = Mixing.draw(Mixing.hashOf(0x20, n), 2);
    long rank = (chance & 15) == 0 ? newest + (chance >>> 4) % 10 : draw.rank(n);
    return Event.of(generator.bidAt(n, KeyDraw.idOfRank(rank), 1_000 + (chance >>> 4) % 1_000));
  }
}
