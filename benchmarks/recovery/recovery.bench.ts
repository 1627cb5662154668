// From SIGKILL to the first right result:
//
//   npm run bench:recovery -- [--sizes 10mb,100mb,1gb] [--storage file,s3] [--rounds 3]
//     [--rate 20000] [--checkpoint-ms 2000] [--memory 512mb] [--json]
//     [--with flink] [--heartbeats default,tuned] [--backends hashmap,rocksdb]
//
// A job with one entry of a kilobyte per key gets `--rate` visits a second by the wall clock; each
// result says how often its key was visited, so it is right only if the old state is there. A real
// process runs it, catches up, takes two checkpoints, is killed with SIGKILL and started again at
// once, `--rounds` times; medians. All times count from the kill:
//
//   firstOutputMs          the first result, right (what the dead process had told may come again)
//   firstCorrectOutputMs   the first result that is new as well
//   caughtUpMs             nothing is left that is already due
//
// The state is filled once per size, and kept in the cache of the benchmarks. What was written just
// before is in the page cache of the system, for both systems. With flink: the same for Flink with
// both of its state backends, a task manager killed while a spare one runs (so there is no start of
// a process in its times); tuned heartbeats notice it after half a second.
//
// About 15 s per round, for a size that is filled already; 1gb is filled in about half a minute.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startVersitygw } from '../../tools/servers/versitygw.ts';
import { bytesOf, megabytes } from '../byte-sizes.ts';
import { median, printJson, printTable } from '../measurement.ts';
import { BYTES_PER_VISITED, keysFrom } from './counted-visits.ts';
import {
  flinkRecovery,
  type FlinkBackend,
  type FlinkRound,
  type Heartbeats,
} from './flink-recovery.ts';
import { filledState } from './filled-state.ts';
import type { VisitsRunSpec } from './run-visits-job.ts';
import { VisitsProcess } from './visits-process.ts';

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10mb,100mb,1gb' },
    storage: { type: 'string', default: 'file' },
    rounds: { type: 'string', default: '3' },
    rate: { type: 'string', default: '20000' },
    'checkpoint-ms': { type: 'string', default: '2000' },
    memory: { type: 'string' },
    with: { type: 'string', default: '' },
    heartbeats: { type: 'string', default: 'default,tuned' },
    backends: { type: 'string', default: 'hashmap,rocksdb' },
    json: { type: 'boolean', default: false },
  },
});

/** Milliseconds from a kill; of Flink alike. */
type Round = FlinkRound;

/** Where the checkpoints of a case are, and how to be rid of them. */
interface Place {
  readonly directory: string;
  readonly remove: () => Promise<void>;
}

async function placeOf(storage: string): Promise<Place> {
  if (storage === 'file') {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-recovery-'));
    return { directory, remove: async () => rmSync(directory, { recursive: true }) };
  }
  if (storage !== 's3') throw new Error(`--storage ${storage}: file or s3`);
  const server = await startVersitygw(['bench']);
  // The job finds its credentials as on any machine.
  process.env.AWS_ACCESS_KEY_ID = server.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = server.secretAccessKey;
  const directory = `s3://bench/recovery?endpoint=${server.endpoint}`;
  return { directory, remove: () => server.stop() };
}

/** Kills a process that is up to date, starts the next one. */
async function killAndRestart(
  running: VisitsProcess,
  spec: VisitsRunSpec,
): Promise<readonly [VisitsProcess, Round]> {
  await running.event('caughtUp');
  await running.event('checkpoint', running.count('checkpoint') + 2);
  const killedAtMs = await running.kill();
  const next = new VisitsProcess(spec, running.last + 1);
  const since = async (kind: 'firstOutput' | 'newOutput' | 'caughtUp'): Promise<number> =>
    (await next.event(kind)).atMs - killedAtMs;
  const round = {
    processStartMs: next.spawnedAtMs - killedAtMs,
    firstOutputMs: await since('firstOutput'),
    firstCorrectOutputMs: await since('newOutput'),
    caughtUpMs: await since('caughtUp'),
    rssMaxBytes: next.rssMaxBytes,
  };
  return [next, round];
}

async function recover(size: string, storage: string, workspace: string): Promise<object> {
  const keys = keysFrom(Math.round(bytesOf(size) / BYTES_PER_VISITED));
  const memoryBytes = options.memory === undefined ? null : bytesOf(options.memory);
  const rate = Number(options.rate);
  const manifest = await filledState({ keys, rate, memoryBytes });
  const place = await placeOf(storage);
  try {
    const spec: VisitsRunSpec = {
      ...{ keys, rate, memoryBytes, directory: place.directory },
      from: manifest,
      isFilling: false,
      origin: null,
      checkpointIntervalMs: Number(options['checkpoint-ms']),
      progressFile: join(workspace, `progress-${size}-${storage}`),
    };
    process.stderr.write(`${size} on ${storage}: ${keys} keys\n`);
    let running = new VisitsProcess(spec);
    const { n, atMs } = await running.event('origin');
    await running.event('released');
    const again = { ...spec, from: 'latest', origin: { n, atMs } };
    const rounds: Round[] = [];
    for (let i = 0; i < Number(options.rounds); i++) {
      const [next, round] = await killAndRestart(running, again);
      process.stderr.write(`  ${JSON.stringify(round)}\n`);
      rounds.push(round);
      running = next;
    }
    await running.kill();
    return rowOf('millrace', storage, size, keys * BYTES_PER_VISITED, rounds);
  } finally {
    await place.remove();
  }
}

function rowOf(
  system: string,
  storage: string,
  size: string,
  stateBytes: number,
  rounds: readonly Round[],
): object {
  const of = (figure: (round: Round) => number): number => median(rounds.map(figure));
  return {
    system,
    storage,
    size,
    stateBytes,
    firstOutputMs: of(({ firstOutputMs }) => firstOutputMs),
    firstCorrectOutputMs: of(({ firstCorrectOutputMs }) => firstCorrectOutputMs),
    fromProcessStartMs: of((round) => round.firstCorrectOutputMs - round.processStartMs),
    caughtUpMs: of(({ caughtUpMs }) => caughtUpMs),
    rssMaxMb: megabytes(of(({ rssMaxBytes }) => rssMaxBytes)),
    rounds: rounds.length,
  };
}

/** Flink at the same size: both backends, with the pace of its heartbeats as asked for. */
async function recoverFlink(size: string): Promise<object[]> {
  const keys = keysFrom(Math.round(bytesOf(size) / BYTES_PER_VISITED));
  const rows: object[] = [];
  for (const heartbeats of options.heartbeats.split(',') as Heartbeats[]) {
    for (const backend of options.backends.split(',') as FlinkBackend[]) {
      const system = `flink-${backend}-${heartbeats}`;
      process.stderr.write(`${size}, ${system}: ${keys} keys\n`);
      const stateBytes = keys * BYTES_PER_VISITED;
      const rounds = await flinkRecovery({
        ...{ backend, heartbeats, keys, stateBytes },
        rate: Number(options.rate),
        checkpointIntervalMs: Number(options['checkpoint-ms']),
        rounds: Number(options.rounds),
      });
      rows.push(rowOf(system, 'file', size, stateBytes, rounds));
    }
  }
  return rows;
}

async function main(): Promise<void> {
  const workspace = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const rows: object[] = [];
  try {
    for (const storage of options.storage.split(',')) {
      for (const size of options.sizes.split(',')) {
        rows.push(await recover(size, storage, workspace));
      }
    }
    for (const size of options.with.split(',').includes('flink') ? options.sizes.split(',') : []) {
      rows.push(...(await recoverFlink(size)));
    }
  } finally {
    rmSync(workspace, { recursive: true });
  }
  printTable(rows);
  if (options.json) printJson('recovery', { rows });
}

await main();
