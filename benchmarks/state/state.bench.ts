// Jobs whose state is ten times the memory they may use:
//
//   npm run bench:state -- [--seconds 20] [--memory 64mb] [--keys N] [--queries q18,q20]
//     [--distributions uniform,zipf] [--checkpoint-ms 5000] [--with flink] [--json]
//
// q18: the last bid of each (bidder, auction); q20: bids joined with their auctions. Each case is
// a process of its own: every key once (the filling), then `--seconds` of measurement. `--memory`
// is the budget for state, `--keys` by default what makes ten times as many bytes. With flink: the
// same events through Flink with RocksDB, one JVM whose memory in all is what ours was seen to use.
// About 1 min per case for ours and 2 for Flink at the defaults.
import { parseArgs } from 'node:util';
import { bytesOf, megabytes } from '../byte-sizes.ts';
import { printJson, printTable } from '../measurement.ts';
import { type MeasuredRun, measuredRun } from '../measured-process.ts';
import { flinkCommand, flinkMemory } from '../peers/flink/flink-command.ts';
import { installFlink } from '../peers/flink/install.ts';
import { agreement } from '../result-hash.ts';
import { type Distribution, KeyDraw } from './key-draw.ts';
import type { StateRunResult, StateRunSpec } from './run-state-job.ts';
import type { StateQuery } from './state-events.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    memory: { type: 'string', default: '64mb' },
    keys: { type: 'string' },
    queries: { type: 'string', default: 'q18,q20' },
    distributions: { type: 'string', default: 'uniform,zipf' },
    'checkpoint-ms': { type: 'string', default: '5000' },
    with: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});

/** About what a key and its value take in a run, for the default of `--keys`. */
const BYTES_PER_KEY: Readonly<Record<StateQuery, number>> = { q18: 210, q20: 560 };
const TIMES_MEMORY = 10;

function specOf(query: StateQuery, distribution: Distribution): StateRunSpec {
  const memoryBytes = bytesOf(options.memory);
  const keys = Number(
    options.keys ?? Math.round((memoryBytes * TIMES_MEMORY) / BYTES_PER_KEY[query]),
  );
  const seconds = Number(options.seconds);
  const checkpointIntervalMs = Number(options['checkpoint-ms']);
  return { query, distribution, keys, seconds, memoryBytes, checkpointIntervalMs };
}

/** A filling at 2 000 events/s and all else, generously. */
function timeoutMs({ keys, seconds }: StateRunSpec): number {
  return 120_000 + seconds * 2_000 + keys / 2;
}

function rowOf(spec: StateRunSpec, system: string, run: MeasuredRun): Record<string, unknown> {
  const result = run.result as unknown as StateRunResult;
  return {
    query: spec.query,
    keysBy: spec.distribution,
    system,
    keys: spec.keys,
    eventsPerSecond: result.eventsPerSecond,
    eventsPerCpuSecond: result.eventsPerCpuSecond,
    fillEventsPerSecond: result.fillEventsPerSecond,
    batchMsP99: result.batchMsP99,
    batchMsMax: result.batchMsMax,
    heapMaxMb: megabytes(result.heapMaxBytes),
    rssMaxMb: megabytes(run.rssMaxBytes),
    checkpoints: result.checkpoints,
    stateMb: megabytes(result.totalBytes),
  };
}

function withoutMilestones({ result, rss }: MeasuredRun): object {
  const { milestones: _, ...figures } = result;
  return { ...figures, rss };
}

async function runOurs(spec: StateRunSpec): Promise<MeasuredRun> {
  const program = new URL('run-state-job.ts', import.meta.url).pathname;
  return measuredRun(process.execPath, [program, JSON.stringify(spec)], timeoutMs(spec));
}

async function runFlink(spec: StateRunSpec, rssBytes: number): Promise<MeasuredRun> {
  const memory = flinkMemory(rssBytes);
  const { step } = new KeyDraw(spec.keys, spec.distribution);
  const settings = { ...spec, step, managedBytes: memory.managedBytes };
  const pairs = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { command, args } = flinkCommand(await installFlink(), 'StateBench', memory, pairs);
  return measuredRun(command, args, timeoutMs(spec));
}

async function main(): Promise<void> {
  const withFlink = options.with.split(',').includes('flink');
  const table: Record<string, unknown>[] = [];
  const details: object[] = [];
  for (const query of options.queries.split(',') as StateQuery[]) {
    for (const distribution of options.distributions.split(',') as Distribution[]) {
      const spec = specOf(query, distribution);
      process.stderr.write(`${query}, ${distribution}: ${spec.keys} keys\n`);
      const ours = await runOurs(spec);
      const row = rowOf(spec, 'millrace', ours);
      table.push({ ...row, ratio: 1, results: '' });
      details.push({ ...row, ...withoutMilestones(ours) });
      if (!withFlink) continue;
      const theirs = await runFlink(spec, ours.rssMaxBytes);
      const flinkRow = rowOf(spec, 'flink-rocksdb', theirs);
      const ratio = Number(row.eventsPerSecond) / Number(flinkRow.eventsPerSecond);
      const results = agreement(
        ours.result.milestones as number[],
        theirs.result.milestones as number[],
      );
      if (results === 'differ') process.exitCode = 1;
      table.push({ ...flinkRow, ratio: Math.round(ratio * 100) / 100, results });
      details.push({ ...flinkRow, ...withoutMilestones(theirs), ratio, results });
    }
  }
  printTable(table);
  if (options.json) printJson('state', { rows: details });
}

await main();
