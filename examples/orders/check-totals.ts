// The oracle: the same totals by a plain loop over the input, without Millrace.
//
// What every correct run has in common, whatever the order in which files were read:
// - each order is in exactly one running total;
// - the running totals of a customer, sorted, count 1, 2, 3 ... and grow by the order they name;
// - daily revenue and late orders together are the revenue of each customer and day.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { DailyRevenue, Order, RunningTotal } from './order.ts';

/** Differences between what a job has committed and what it should have. */
export interface Comparison {
  readonly orders: number;
  /** Orders that reached no running total, or are missing in a day. */
  readonly lost: number;
  /** Orders that reached more than one, or that a day holds too often. */
  readonly doubled: number;
  /** The first few, as text; a wrong sum is here although nothing is lost or doubled. */
  readonly differences: readonly string[];
}

interface Sum {
  readonly orders: number;
  readonly cents: number;
}

/** Reads the input and what a job has committed to `output`, and compares. */
export function compareTotals(input: string, output: string): Comparison {
  const orders = new Map<string, Order>();
  for (const order of readLines<Order>(input)) orders.set(order.id, order);
  const report = new Report();
  compareRunning(orders, readLines<RunningTotal>(`${output}/running`), report);
  compareDaily(
    orders,
    readLines<DailyRevenue>(`${output}/daily`),
    readLines<Order>(`${output}/late`),
    report,
  );
  const { lost, doubled, differences } = report;
  return { orders: orders.size, lost, doubled, differences: differences.slice(0, 10) };
}

class Report {
  lost = 0;
  doubled = 0;
  readonly differences: string[] = [];

  /** Adds a difference of so many orders if there is one. */
  compare(what: string, expected: Sum, actual: Sum): void {
    if (expected.orders === actual.orders && expected.cents === actual.cents) return;
    this.lost += Math.max(0, expected.orders - actual.orders);
    this.doubled += Math.max(0, actual.orders - expected.orders);
    this.differences.push(
      `${what}: expected ${JSON.stringify(expected)}, committed ${JSON.stringify(actual)}`,
    );
  }
}

function compareRunning(
  orders: ReadonlyMap<string, Order>,
  totals: readonly RunningTotal[],
  report: Report,
): void {
  const times = new Map<string, number>();
  const byCustomer = new Map<string, RunningTotal[]>();
  for (const total of totals) {
    times.set(total.orderId, (times.get(total.orderId) ?? 0) + 1);
    const ofCustomer = byCustomer.get(total.customer);
    if (ofCustomer === undefined) byCustomer.set(total.customer, [total]);
    else ofCustomer.push(total);
  }
  for (const id of new Set([...orders.keys(), ...times.keys()])) {
    const expected = { orders: orders.has(id) ? 1 : 0, cents: 0 };
    report.compare(`order ${id}`, expected, { orders: times.get(id) ?? 0, cents: 0 });
  }
  for (const [customer, ofCustomer] of byCustomer) {
    ofCustomer.sort((a, b) => a.orders - b.orders);
    let sum: Sum = { orders: 0, cents: 0 };
    for (const total of ofCustomer) {
      sum = { orders: sum.orders + 1, cents: sum.cents + (orders.get(total.orderId)?.cents ?? 0) };
      if (total.orders === sum.orders && total.cents === sum.cents) continue;
      report.differences.push(
        `running total ${sum.orders} of ${customer}: expected ${JSON.stringify(sum)}, ` +
          `committed ${JSON.stringify(total)}`,
      );
      break; // all further ones differ, too
    }
  }
}

function compareDaily(
  orders: ReadonlyMap<string, Order>,
  days: readonly DailyRevenue[],
  late: readonly Order[],
  report: Report,
): void {
  const expected = new Map<string, Sum>();
  const actual = new Map<string, Sum>();
  for (const order of orders.values()) addTo(expected, dayKey(order), { ...order, orders: 1 });
  for (const day of days) addTo(actual, `${day.customer} ${day.day}`, day);
  for (const order of late) addTo(actual, dayKey(order), { ...order, orders: 1 });
  const none: Sum = { orders: 0, cents: 0 };
  for (const key of new Set([...expected.keys(), ...actual.keys()])) {
    report.compare(key, expected.get(key) ?? none, actual.get(key) ?? none);
  }
}

function addTo(sums: Map<string, Sum>, key: string, { orders, cents }: Sum): void {
  const before = sums.get(key) ?? { orders: 0, cents: 0 };
  sums.set(key, { orders: before.orders + orders, cents: before.cents + cents });
}

function dayKey(order: Order): string {
  return `${order.customer} ${order.placedAt.slice(0, 10)}`;
}

// Only finished files: what is in progress or pending begins with a dot.
function readLines<T>(directory: string): T[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => !name.startsWith('.') && name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(`${directory}/${name}`, 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line): T => JSON.parse(line));
}
