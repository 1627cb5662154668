// Makes the input of the demo: the 3 million flights of vega-datasets, as one JSON Lines file per
// month. A line is written when the flight has arrived, so that the lines are out of order in
// event time (the scheduled departure), by as much as the flight was late.
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import { once } from 'node:events';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { Flight } from './flight.ts';

const ROWS_PER_READ = 100_000;
const ROWS = 3_000_000;
const MINUTE_MS = 60_000;

interface ParquetRow {
  readonly date: Date;
  readonly delay: bigint;
  readonly distance: bigint;
  readonly origin: string;
  readonly destination: string;
}

interface Arrival {
  readonly atMs: number;
  readonly line: string;
}

/**
 * Writes `<directory>/flights-2001-MM.jsonl` unless they are there already.
 *
 * @param say told of each month that is written
 * @returns the number of flights
 */
export async function prepareFlights(
  directory: string,
  rows: number = ROWS,
  say: (text: string) => void = () => {},
): Promise<number> {
  if (existsSync(`${directory}/complete-${rows}`)) return rows;
  mkdirSync(directory, { recursive: true });
  const path = fileURLToPath(
    new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets')),
  );
  const file = await asyncBufferFromFile(path);
  let month: Arrival[] = [];
  let current = -1;
  for (let rowStart = 0; rowStart < rows; rowStart += ROWS_PER_READ) {
    const rowEnd = Math.min(rows, rowStart + ROWS_PER_READ);
    const read = await parquetReadObjects({ file, compressors, rowStart, rowEnd });
    for (const row of read as unknown as ParquetRow[]) {
      if (row.date.getUTCMonth() !== current) {
        if (month.length > 0) say(await writeMonth(directory, current, month));
        month = [];
        current = row.date.getUTCMonth();
      }
      month.push(arrivalOf(row));
    }
  }
  say(await writeMonth(directory, current, month));
  createWriteStream(`${directory}/complete-${rows}`).end();
  return rows;
}

function arrivalOf(row: ParquetRow): Arrival {
  const flight: Flight = {
    date: row.date.toISOString(),
    delay: Number(row.delay),
    distance: Number(row.distance),
    origin: row.origin,
    destination: row.destination,
  };
  const lateMs = Math.max(0, flight.delay) * MINUTE_MS;
  return { atMs: row.date.getTime() + lateMs, line: `${JSON.stringify(flight)}\n` };
}

/** @returns what was written, in words */
async function writeMonth(directory: string, month: number, arrivals: Arrival[]): Promise<string> {
  arrivals.sort((a, b) => a.atMs - b.atMs);
  const path = `${directory}/flights-2001-${String(month + 1).padStart(2, '0')}.jsonl`;
  const stream = createWriteStream(`${path}.tmp`);
  for (let i = 0; i < arrivals.length; i += 10_000) {
    const lines = arrivals.slice(i, i + 10_000).map((arrival) => arrival.line);
    if (!stream.write(lines.join(''))) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
  renameSync(`${path}.tmp`, path);
  return `${basename(path)}: ${arrivals.length} flights`;
}
