// The oracle: the same totals by a plain loop over the input, without Millrace.
import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { addFlight, type Flight, type FlightTotals, mergeTotals, NO_FLIGHTS } from './flight.ts';
import type { DailyTotals, MonthlyTotals } from './flights.ts';

/** Totals of the whole input, counted once. */
export interface ExpectedTotals {
  readonly flights: number;
  /** By `airport day`. */
  readonly daily: ReadonlyMap<string, FlightTotals>;
  /** By `route`: the months of a late flight may differ after a recovery, its count may not. */
  readonly routes: ReadonlyMap<string, FlightTotals>;
}

/** Differences between what a job has committed and what was expected. */
export interface Comparison {
  readonly committed: number;
  readonly late: number;
  readonly lost: number;
  readonly doubled: number;
  /** Totals whose figures differ, the first few as text. */
  readonly differences: readonly string[];
}

/** Reads all input files and adds up. */
export async function expectedTotals(input: string): Promise<ExpectedTotals> {
  const daily = new Map<string, FlightTotals>();
  const routes = new Map<string, FlightTotals>();
  let flights = 0;
  await eachLine(input, (flight: Flight) => {
    flights++;
    addTo(daily, dayKey(flight), addFlight(NO_FLIGHTS, flight));
    addTo(routes, routeKey(flight), addFlight(NO_FLIGHTS, flight));
  });
  return { flights, daily, routes };
}

/** Reads what a job has committed to `output` and compares. */
export async function compareTotals(expected: ExpectedTotals, output: string): Promise<Comparison> {
  const daily = new Map<string, FlightTotals>();
  const routes = new Map<string, FlightTotals>();
  let late = 0;
  await eachLine(`${output}/daily`, (totals: DailyTotals) =>
    addTo(daily, `${totals.airport} ${totals.day}`, totals),
  );
  await eachLine(`${output}/late`, (flight: Flight) => {
    late++;
    addTo(daily, dayKey(flight), addFlight(NO_FLIGHTS, flight));
  });
  await eachLine(`${output}/monthly`, (totals: MonthlyTotals) =>
    addTo(routes, totals.route, totals),
  );
  const dailyDifference = difference(expected.daily, daily);
  const routeDifference = difference(expected.routes, routes);
  return {
    committed: [...daily.values()].reduce((sum, totals) => sum + totals.flights, 0),
    late,
    lost: dailyDifference.lost + routeDifference.lost,
    doubled: dailyDifference.doubled + routeDifference.doubled,
    differences: [...dailyDifference.texts, ...routeDifference.texts].slice(0, 10),
  };
}

function difference(
  expected: ReadonlyMap<string, FlightTotals>,
  actual: ReadonlyMap<string, FlightTotals>,
): { lost: number; doubled: number; texts: string[] } {
  let lost = 0;
  let doubled = 0;
  const texts: string[] = [];
  for (const key of new Set([...expected.keys(), ...actual.keys()])) {
    const wanted = expected.get(key) ?? NO_FLIGHTS;
    const got = actual.get(key) ?? NO_FLIGHTS;
    const same =
      wanted.flights === got.flights &&
      wanted.delayMinutes === got.delayMinutes &&
      wanted.miles === got.miles;
    if (same) continue;
    // Equal counts but other sums: one was lost and another one doubled.
    lost += Math.max(wanted.flights - got.flights, wanted.flights === got.flights ? 1 : 0);
    doubled += Math.max(got.flights - wanted.flights, wanted.flights === got.flights ? 1 : 0);
    texts.push(`${key}: expected ${JSON.stringify(wanted)}, committed ${JSON.stringify(got)}`);
  }
  return { lost, doubled, texts };
}

function addTo(map: Map<string, FlightTotals>, key: string, totals: FlightTotals): void {
  map.set(key, mergeTotals(map.get(key) ?? NO_FLIGHTS, totals));
}

function dayKey(flight: Flight): string {
  return `${flight.origin} ${flight.date.slice(0, 10)}`;
}

function routeKey(flight: Flight): string {
  return `${flight.origin}-${flight.destination}`;
}

// Only finished files: what is in progress or pending begins with a dot.
async function eachLine<T>(directory: string, take: (value: T) => void): Promise<void> {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory).sort()) {
    if (name.startsWith('.') || !name.endsWith('.jsonl')) continue;
    const lines = createInterface({ input: createReadStream(`${directory}/${name}`) });
    for await (const line of lines) take(JSON.parse(line) as T);
  }
}
