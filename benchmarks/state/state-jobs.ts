import type { Source } from '@millrace/core/connector';
import { job, type JobDefinition, list, type, value } from 'millrace';
import type { Auction, Bid } from '../nexmark/event.ts';
import { addInt, addLong } from '../nexmark/mixing.ts';
import { hashSink, type ResultHash } from '../result-hash.ts';
import type { StateQuery } from './state-events.ts';

/** The job of a query over auctions and bids. */
export function stateJob(
  query: StateQuery,
  events: Source<Auction | Bid>,
  results: ResultHash,
): JobDefinition {
  return query === 'q18' ? lastBids(events, results) : joinedBids(events, results);
}

/** The last bid of each bidder for each auction; every newer one is emitted. */
function lastBids(events: Source<Auction | Bid>, results: ResultHash): JobDefinition {
  return job('state-q18', (flow) => {
    flow
      .from('events', events)
      .filter((event): event is Bid => event.kind === 'bid')
      .keyBy((bid): [number, number] => [bid.bidder, bid.auction])
      .process('last-bid', {
        state: { last: value<Bid>() },
        output: type<Bid>(),
        onRecord(bid, { state, emit }) {
          const last = state.last.get();
          if (last !== undefined && bid.dateTime < last.dateTime) return;
          state.last.set(bid);
          emit(bid);
        },
      })
      .to(
        'hash',
        hashSink<Bid>(results, (hash, { auction, bidder, price }) =>
          addLong(addInt(addLong(hash, auction), bidder), price),
        ),
      );
  });
}

/** A bid and what of its auction stands beside it. */
interface JoinedBid {
  readonly bid: Bid;
  readonly itemName: string;
  readonly seller: number;
  readonly category: number;
}

/** Every bid beside its auction; bids that come before it wait for it. */
function joinedBids(events: Source<Auction | Bid>, results: ResultHash): JobDefinition {
  return job('state-q20', (flow) => {
    flow
      .from('events', events)
      .keyBy((event) => (event.kind === 'bid' ? event.auction : event.id))
      .process('join', {
        state: { auction: value<Auction>(), waiting: list<Bid>() },
        output: type<JoinedBid>(),
        onRecord(event, { state, emit }) {
          if (event.kind === 'bid') {
            const auction = state.auction.get();
            if (auction === undefined) state.waiting.add(event);
            else emit(joined(event, auction));
            return;
          }
          state.auction.set(event);
          for (const bid of state.waiting.get()) emit(joined(bid, event));
          state.waiting.clear();
        },
      })
      .to(
        'hash',
        hashSink<JoinedBid>(results, (hash, { bid, seller, category }) =>
          addInt(addLong(addLong(addLong(hash, bid.auction), bid.price), seller), category),
        ),
      );
  });
}

function joined(bid: Bid, { itemName, seller, category }: Omit<Auction, 'kind'>): JoinedBid {
  return { bid, itemName, seller, category };
}
