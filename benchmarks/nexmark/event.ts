import { addInt, addLong, addString } from './mixing.ts';

/** Somebody who opens auctions and bids. Encoded about 200 bytes. */
export interface Person {
  readonly kind: 'person';
  readonly id: number;
  readonly name: string;
  readonly emailAddress: string;
  readonly creditCard: string;
  readonly city: string;
  readonly state: string;
  /** Event time, milliseconds. */
  readonly dateTime: number;
  readonly extra: string;
}

/** Something for sale. Encoded about 500 bytes. */
export interface Auction {
  readonly kind: 'auction';
  readonly id: number;
  readonly itemName: string;
  readonly description: string;
  readonly initialBid: number;
  readonly reserve: number;
  /** Event time, milliseconds. */
  readonly dateTime: number;
  /** Event time when it closes, milliseconds. */
  readonly expires: number;
  /** Id of a person. */
  readonly seller: number;
  readonly category: number;
  readonly extra: string;
}

/** An offer. Encoded about 100 bytes, and its URL. */
export interface Bid {
  readonly kind: 'bid';
  /** Id of an auction, which may not exist yet. */
  readonly auction: number;
  /** Id of a person, who may not exist yet. */
  readonly bidder: number;
  readonly price: number;
  readonly channel: string;
  readonly url: string;
  /** Event time, milliseconds. */
  readonly dateTime: number;
  readonly extra: string;
}

/** What the generator makes: of 50 events 1 person, 3 auctions, 46 bids. */
export type Event = Person | Auction | Bid;

/**
 * Adds every field of an event to a running hash. The Java twin gives the same number, so both
 * sides can show that they saw the same events.
 */
export function addEvent(hash: number, event: Event): number {
  switch (event.kind) {
    case 'person': {
      const { id, name, emailAddress, creditCard, city, state, dateTime, extra } = event;
      const texts = [name, emailAddress, creditCard, city, state, extra];
      return texts.reduce(addString, addLong(addLong(addInt(hash, 0), id), dateTime));
    }
    case 'auction': {
      const { id, initialBid, reserve, dateTime, expires, seller, category } = event;
      const numbers = [id, initialBid, reserve, dateTime, expires, seller, category];
      const texts = [event.itemName, event.description, event.extra];
      return texts.reduce(addString, numbers.reduce(addLong, addInt(hash, 1)));
    }
    case 'bid': {
      const { auction, bidder, price, channel, url, dateTime, extra } = event;
      const numbers = [auction, bidder, price, dateTime];
      return [channel, url, extra].reduce(addString, numbers.reduce(addLong, addInt(hash, 2)));
    }
  }
}
