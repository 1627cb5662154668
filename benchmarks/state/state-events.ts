import type { Auction, Bid } from '../nexmark/event.ts';
import { NexmarkGenerator } from '../nexmark/generator.ts';
import { draw, hashOf } from '../nexmark/mixing.ts';
import { idOfRank, type KeyDraw } from './key-draw.ts';

/** Which of the two jobs: what Nexmark's queries of these numbers keep. */
export type StateQuery = 'q18' | 'q20';

/** Auctions and bids after them in turn: what is left of Nexmark's 50 without its person. */
const PER_ROUND = 49;
const AUCTIONS_PER_ROUND = 3;

/**
 * Nexmark's bids and auctions over keys of our choice. Event 0 to `keys`: every key once, so that
 * the state has its size; from then on
 * - `q18`: bids of a (bidder, auction) that is drawn;
 * - `q20`: of 49 events 3 new auctions, 46 bids: one in 16 for an auction of these days, which may
 *   not be there yet, the others for a drawn one of the first.
 *
 * `peers/flink/.../StateEvents.java` is its twin.
 */
export class StateEvents {
  readonly #query: StateQuery;
  readonly #draw: KeyDraw;
  readonly #generator = new NexmarkGenerator({ events: Number.MAX_SAFE_INTEGER });

  constructor(query: StateQuery, keyDraw: KeyDraw) {
    this.#query = query;
    this.#draw = keyDraw;
  }

  at(n: number): Auction | Bid {
    const { keys } = this.#draw;
    if (this.#query === 'q18') return this.#bidOfPair(n, n < keys ? n : this.#draw.rank(n));
    if (n < keys) return this.#generator.auctionAt(n, idOfRank(n));
    const round = Math.floor((n - keys) / PER_ROUND);
    const offset = n - keys - round * PER_ROUND;
    const newest = keys + round * AUCTIONS_PER_ROUND;
    if (offset < AUCTIONS_PER_ROUND) {
      return this.#generator.auctionAt(n, idOfRank(newest + offset));
    }
    const chance = draw(hashOf(0x20, n), 2);
    const rank = (chance & 15) === 0 ? newest + ((chance >>> 4) % 10) : this.#draw.rank(n);
    return this.#generator.bidAt(n, idOfRank(rank), 1_000 + ((chance >>> 4) % 1_000));
  }

  #bidOfPair(n: number, rank: number): Bid {
    const id = idOfRank(rank);
    return this.#generator.bidAt(n, 1_000 + (id & 0xffff), 1_000 + (id >>> 16));
  }
}
