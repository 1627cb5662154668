// The events of Nexmark, the same for everybody who gives the same options.
//
// What comes when is that of the public generator (nexmark/nexmark): the mix of 50, the ids, the
// hot keys, prices, expiry, times, order. What differs, and why:
//
// - It has a seed. Upstream draws from an unseeded source, so no result of it can be checked.
// - Texts come out of pools (see vocabulary.ts).
// - A bidder is a person. Upstream adds the first person's id twice, so its bidders are the persons
//   1 000 ids later.
//
// `peers/flink/src/main/java/bench/Generator.java` makes the same events; a test compares them.
import type { Auction, Bid, Event, Person } from './event.ts';
import { draw, hashOf, mix32 } from './mixing.ts';
import * as vocabulary from './vocabulary.ts';

/** Which events there are. All generators of one benchmark differ in `index` alone. */
export interface GeneratorOptions {
  /** Of all generators together. */
  readonly events: number;
  /** Default 1. */
  readonly seed?: number;
  /** Per second of event time, of all generators together. Default 100 000. */
  readonly eventsPerSecond?: number;
  /**
   * Default 1. Each has its own range of ids and runs through the same time, at its share of the
   * rate: with another number of generators it is another benchmark, as upstream.
   */
  readonly generators?: number;
  /** 0-based; default 0. */
  readonly index?: number;
  /** Event time of the first event. Default 2020-09-13T12:26:40Z. */
  readonly baseTimeMs?: number;
  /** Events are permuted inside of groups of so many. Default 1: in order. */
  readonly outOfOrderGroupSize?: number;
}

const PER_EPOCH = 50;
const AUCTIONS_PER_EPOCH = 3;
const FIRST_ID = 1_000;
const FIRST_CATEGORY = 10;
const CATEGORIES = 5;
/** Of so many auctions or persons in a row one is hot. */
const HOT_GROUP = 100;
const ACTIVE_PERSONS = 1_000;
const AUCTIONS_IN_FLIGHT = 100;
/** Ids that are used before they exist. */
const LEAD = 10;
/** Events until `AUCTIONS_IN_FLIGHT` more auctions have been opened. */
const HORIZON_EVENTS = Math.floor((AUCTIONS_IN_FLIGHT * PER_EPOCH) / AUCTIONS_PER_EPOCH);

/** Makes any event of its range, in any order. Cost: 50 to 100 ns an event. */
export class NexmarkGenerator {
  /** Events of this generator. */
  readonly count: number;
  readonly #seed: number;
  readonly #firstId: number;
  readonly #delayUs: number;
  readonly #baseTimeMs: number;
  readonly #groupSize: number;

  constructor(options: GeneratorOptions) {
    const { events, seed = 1, eventsPerSecond = 100_000, generators = 1, index = 0 } = options;
    const share = Math.floor(events / generators);
    this.count = index === generators - 1 ? events - share * (generators - 1) : share;
    this.#firstId = share * index;
    this.#seed = mix32(seed);
    this.#delayUs = (1_000_000 / eventsPerSecond) * generators;
    this.#baseTimeMs = options.baseTimeMs ?? 1_600_000_000_000;
    this.#groupSize = options.outOfOrderGroupSize ?? 1;
  }

  /** Event `n` of this generator, 0-based. */
  at(n: number): Event {
    const number = this.#groupSize === 1 ? n : this.#permuted(n);
    const id = this.#firstId + number;
    const epoch = Math.floor(id / PER_EPOCH);
    return this.#make(id, epoch, id - epoch * PER_EPOCH, number);
  }

  /** Events `from` to `from + count`, appended to `target`. The cheapest way to many events. */
  fill(target: Event[], from: number, count: number): void {
    for (let n = from; n < from + count; n++) target.push(this.at(n));
  }

  /** A bid as of event `n`, but for this auction by this bidder: for benchmarks with other keys. */
  bidAt(n: number, auction: number, bidder: number): Bid {
    return bidOf(hashOf(this.#seed, n), this.#timeMs(n), auction, bidder);
  }

  /** An auction as of event `n`, but with this id. */
  auctionAt(n: number, id: number): Auction {
    return this.#auction(hashOf(this.#seed, n), Math.floor(n / PER_EPOCH), id, n);
  }

  /** The greatest event time that no event from `n` on is before. */
  watermarkMs(n: number): number {
    return this.#timeMs(Math.floor(n / this.#groupSize) * this.#groupSize);
  }

  #permuted(n: number): number {
    const size = this.#groupSize;
    return Math.floor(n / size) * size + ((n * 953) % size);
  }

  #timeMs(number: number): number {
    return this.#baseTimeMs + Math.floor(Math.floor(number * this.#delayUs) / 1_000);
  }

  #make(id: number, epoch: number, offset: number, number: number): Event {
    const hash = hashOf(this.#seed, id);
    if (offset > AUCTIONS_PER_EPOCH) return this.#bid(hash, epoch, this.#timeMs(number));
    if (offset > 0) {
      return this.#auction(hash, epoch, FIRST_ID + epoch * AUCTIONS_PER_EPOCH + offset - 1, number);
    }
    return personOf(hash, epoch, this.#timeMs(number));
  }

  #auction(hash: number, epoch: number, id: number, number: number): Auction {
    const seller = draw(hash, 1);
    const prices = draw(hash, 2);
    const texts = draw(hash, 3);
    const timeMs = this.#timeMs(number);
    const horizonMs = this.#timeMs(number + HORIZON_EVENTS) - timeMs;
    const initialBid = vocabulary.PRICES[prices & 0xffff]!;
    return {
      kind: 'auction',
      id,
      itemName: vocabulary.ITEM_NAMES[texts & 1_023]!,
      description: vocabulary.DESCRIPTIONS[(texts >>> 10) & 1_023]!,
      initialBid,
      reserve: initialBid + vocabulary.PRICES[prices >>> 16]!,
      dateTime: timeMs,
      expires: timeMs + 1 + ((draw(hash, 4) >>> 1) % Math.max(horizonMs * 2, 1)),
      seller: FIRST_ID + ((seller & 3) !== 0 ? hotOf(epoch) : personNear(epoch, seller >>> 2)),
      category: FIRST_CATEGORY + ((draw(hash, 5) >>> 1) % CATEGORIES),
      extra: vocabulary.AUCTION_EXTRAS[(texts >>> 20) & 1_023]!,
    };
  }

  #bid(hash: number, epoch: number, dateTime: number): Bid {
    const auction = draw(hash, 1);
    const bidder = draw(hash, 2);
    const last = epoch * AUCTIONS_PER_EPOCH + AUCTIONS_PER_EPOCH - 1;
    const isHotAuction = (auction & 1) !== 0;
    const isHotBidder = (bidder & 3) !== 0;
    return bidOf(
      hash,
      dateTime,
      FIRST_ID + (isHotAuction ? hotOf(last) : auctionNear(last, auction >>> 1)),
      // The second of a group, so that hot bidders and hot sellers are not the same.
      FIRST_ID + (isHotBidder ? hotOf(epoch) + 1 : personNear(epoch, bidder >>> 2)),
    );
  }
}

function bidOf(hash: number, dateTime: number, auction: number, bidder: number): Bid {
  const price = draw(hash, 3);
  const where = draw(hash, 4);
  const isHot = (where & 1) !== 0;
  const channel = isHot ? (where >>> 1) & 3 : (where >>> 3) % vocabulary.CHANNELS;
  return {
    kind: 'bid',
    auction,
    bidder,
    price: vocabulary.PRICES[price & 0xffff]!,
    channel: (isHot ? vocabulary.HOT_CHANNELS : vocabulary.CHANNEL_NAMES)[channel]!,
    url: (isHot ? vocabulary.HOT_URLS : vocabulary.CHANNEL_URLS)[channel]!,
    dateTime,
    extra: vocabulary.BID_EXTRAS[(price >>> 16) & 1_023]!,
  };
}

function personOf(hash: number, epoch: number, dateTime: number): Person {
  const where = draw(hash, 1);
  const texts = draw(hash, 2);
  return {
    kind: 'person',
    id: FIRST_ID + epoch,
    name: vocabulary.NAMES[(draw(hash, 3) >>> 1) % vocabulary.NAMES.length]!,
    emailAddress: vocabulary.EMAILS[texts & 1_023]!,
    creditCard: vocabulary.CREDIT_CARDS[(texts >>> 10) & 1_023]!,
    city: vocabulary.CITIES[(where & 0xffff) % vocabulary.CITIES.length]!,
    state: vocabulary.STATES[(where >>> 16) % vocabulary.STATES.length]!,
    dateTime,
    extra: vocabulary.PERSON_EXTRAS[(texts >>> 20) & 1_023]!,
  };
}

/** The hot one of the group that `last` is in. */
function hotOf(last: number): number {
  return Math.floor(last / HOT_GROUP) * HOT_GROUP;
}

/** One of the active persons, or one of the next few. There is one person per epoch. */
function personNear(last: number, chance: number): number {
  const active = Math.min(last + 1, ACTIVE_PERSONS);
  return last + 1 - active + (chance % (active + LEAD));
}

/** One of the auctions in flight, or one of the next few. */
function auctionNear(last: number, chance: number): number {
  const first = Math.max(last - AUCTIONS_IN_FLIGHT, 0);
  return first + (chance % (last - first + 1 + LEAD));
}
