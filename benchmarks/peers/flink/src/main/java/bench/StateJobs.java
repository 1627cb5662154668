package bench;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** Twins of the jobs in benchmarks/state/state-jobs.ts. */
final class StateJobs {
  static void build(String query, DataStream<Event> events) {
    if (query.equals("q18")) {
      events
          .filter(event -> event.kind == Event.BID)
          .map(event -> event.bid)
          .returns(Bid.class)
          .keyBy(bid -> Tuple2.of(bid.bidder, bid.auction), Types.TUPLE(Types.LONG, Types.LONG))
          .process(new LastBid())
          .sinkTo(
              new HashSink<Bid>(
                  (hash, b) ->
                      Mixing.addLong(
                          Mixing.addInt(Mixing.addLong(hash, b.auction), (int) b.bidder),
                          b.price)));
      return;
    }
    events
        .keyBy(event -> event.kind == Event.BID ? event.bid.auction : event.auction.id, Types.LONG)
        .process(new Join())
        .sinkTo(
            new HashSink<JoinedBid>(
                (hash, j) -> {
                  hash = Mixing.addLong(Mixing.addLong(hash, j.bid.auction), j.bid.price);
                  return Mixing.addInt(Mixing.addLong(hash, j.seller), (int) j.category);
                }));
  }

  /** The last bid of each bidder for each auction; every newer one is emitted. */
  public static class LastBid extends KeyedProcessFunction<Tuple2<Long, Long>, Bid, Bid> {
    private transient ValueState<Bid> last;

    @Override
    public void open(OpenContext context) {
      last = getRuntimeContext().getState(new ValueStateDescriptor<>("last", Bid.class));
    }

    @Override
    public void processElement(Bid bid, Context context, Collector<Bid> out) throws Exception {
      Bid before = last.value();
      if (before != null && bid.dateTime < before.dateTime) return;
      last.update(bid);
      out.collect(bid);
    }
  }

  /** A bid and what of its auction stands beside it. */
  public static class JoinedBid {
    public Bid bid;
    public String itemName;
    public long seller, category;
  }

  /** Every bid beside its auction; bids that come before it wait for it. */
  public static class Join extends KeyedProcessFunction<Long, Event, JoinedBid> {
    private transient ValueState<Auction> auction;
    private transient ListState<Bid> waiting;

    @Override
    public void open(OpenContext context) {
      auction = getRuntimeContext().getState(new ValueStateDescriptor<>("auction", Auction.class));
      waiting = getRuntimeContext().getListState(new ListStateDescriptor<>("waiting", Bid.class));
    }

    @Override
    public void processElement(Event event, Context context, Collector<JoinedBid> out)
        throws Exception {
      if (event.kind == Event.BID) {
        Auction found = auction.value();
        if (found == null) waiting.add(event.bid);
        else out.collect(joined(event.bid, found));
        return;
      }
      auction.update(event.auction);
      for (Bid bid : waiting.get()) out.collect(joined(bid, event.auction));
      waiting.clear();
    }

    private static JoinedBid joined(Bid bid, Auction auction) {
      JoinedBid result = new JoinedBid();
      result.bid = bid;
      result.itemName = auction.itemName;
      result.seller = auction.seller;
      result.category = auction.category;
      return result;
    }
  }

  private StateJobs() {}
}
