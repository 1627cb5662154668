// Makes a log of orders: the same for the same seed, on every machine.
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Order } from './order.ts';

const MINUTE_MS = 60_000;
const FIRST_DAY_MS = Date.UTC(2026, 0, 1);
const DAYS = 30;
const CUSTOMERS = 200;
/** How much later than it was placed an order reaches the log: less than the job waits. */
const DELAY_MS_MAX = 90 * MINUTE_MS;
/** One in so many is sent again, within so much time. */
const REPEATED_ONE_IN = 25;
const REPEATED_WITHIN_MS = 24 * 60 * MINUTE_MS;

/** How much to make. */
export interface OrderLog {
  readonly seed: number;
  readonly orders: number;
  readonly files: number;
}

/** Writes `<directory>/orders-NNN.jsonl`: out of order, with repetitions, in files by arrival. */
export function generateOrders(directory: string, { seed, orders, files }: OrderLog): void {
  mkdirSync(directory, { recursive: true });
  const random = seededRandom(seed);
  const arrivals: { readonly atMs: number; readonly order: Order }[] = [];
  for (let index = 0; index < orders; index++) {
    const placedAtMs = FIRST_DAY_MS + Math.floor((index / orders) * DAYS * 24 * 60) * MINUTE_MS;
    const order: Order = {
      id: `o-${index}`,
      // A product of two: some customers order a lot, most order little.
      customer: `customer-${Math.floor(random() * random() * CUSTOMERS)}`,
      cents: 100 + Math.floor(random() * 20_000),
      placedAt: new Date(placedAtMs).toISOString(),
    };
    const atMs = placedAtMs + random() * DELAY_MS_MAX;
    arrivals.push({ atMs, order });
    if (random() * REPEATED_ONE_IN < 1) {
      arrivals.push({ atMs: atMs + random() * REPEATED_WITHIN_MS, order });
    }
  }
  arrivals.sort((a, b) => a.atMs - b.atMs);
  const perFile = Math.ceil(arrivals.length / files);
  for (let file = 0; file < files; file++) {
    const lines = arrivals
      .slice(file * perFile, (file + 1) * perFile)
      .map(({ order }) => `${JSON.stringify(order)}\n`);
    const name = `orders-${String(file + 1).padStart(3, '0')}.jsonl`;
    writeFileSync(`${directory}/${name}`, lines.join(''));
  }
}

/** In [0, 1). Source: mulberry32 by Tommy Ettinger, public domain. */
function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
