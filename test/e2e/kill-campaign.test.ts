// Goal: whenever its process dies, a job gives the totals of a plain loop: nothing lost, nothing
// doubled. Method: two jobs, real processes, SIGKILL at random moments of every phase (start-up,
// recovery, running, commit), with the same and with another parallelism in the next life.
//
// The seed of a failed run is in its message: MILLRACE_KILL_SEED=<seed> kills with the same random
// numbers again (what the processes do in the meantime is theirs); its files are left in place.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { SeededRandom } from '@millrace/testing';
import { type KillMoment, killAndRecover } from '../../examples/demo/kill-and-recover.ts';
import { compareTotals as compareFlights } from '../../examples/flights/check-totals.ts';
import { expectedTotals } from '../../examples/flights/check-totals.ts';
import { prepareFlights } from '../../examples/flights/prepare.ts';
import { compareTotals as compareOrders } from '../../examples/orders/check-totals.ts';
import { generateOrders } from '../../examples/orders/generate.ts';
import { quickStart } from './shop.ts';

const examples = join(import.meta.dirname, '..', '..', 'examples');
const seed = process.env.MILLRACE_KILL_SEED ?? String(Date.now());
const KILLS_PER_JOB = 52;
const KILLS_PER_ROUND = 5;

/** A job of the examples with its input and its oracle. */
interface Victim {
  readonly name: string;
  readonly file: string;
  prepare(input: string): Promise<void>;
  /** Differences as text; empty if the output is exact. */
  compare(input: string, output: string): Promise<readonly string[]>;
}

/** How the lives of a round are killed. */
interface Manner {
  readonly moments: readonly [KillMoment, ...KillMoment[]];
  /** Of the lives in turn. */
  readonly parallelism: readonly number[];
}

// Starting takes some 150 ms on an idle core, and the whole input some 700 ms more. Every other
// life is killed behind a checkpoint, so that the next one is killed while it recovers from it.
const starting: KillMoment = { after: 'start', leastMs: 50, mostMs: 500 };
const recovering: KillMoment = { after: 'claimed', leastMs: 0, mostMs: 60 };
const running: KillMoment = { after: 'running', leastMs: 0, mostMs: 500 };
const committing: KillMoment = { after: 'first checkpoint', leastMs: 0, mostMs: 15 };
const behind: KillMoment = { after: 'first checkpoint', leastMs: 0, mostMs: 250 };
const manners: readonly Manner[] = [
  { moments: [behind, running], parallelism: [1] },
  { moments: [committing], parallelism: [2] },
  { moments: [behind, recovering], parallelism: [1, 3, 2] },
  { moments: [running, committing], parallelism: [1, 3, 2] },
  { moments: [behind, starting], parallelism: [2] },
  { moments: [behind], parallelism: [3, 1, 2, 4] },
];

const flights: Victim = {
  name: 'flights',
  file: join(examples, 'flights', 'flights.ts'),
  prepare: async (input) => {
    await prepareFlights(input, 150_000);
  },
  compare: async (input, output) => {
    const expected = await expectedTotals(input);
    const { committed, lost, doubled, differences } = await compareFlights(expected, output);
    if (lost + doubled === 0 && committed === expected.flights) return [];
    return [
      `${committed} of ${expected.flights}: ${lost} lost, ${doubled} doubled`,
      ...differences,
    ];
  },
};

const orders: Victim = {
  name: 'orders',
  file: join(examples, 'orders', 'orders.ts'),
  prepare: async (input) => generateOrders(input, { seed: 3, orders: 60_000, files: 7 }),
  compare: async (input, output) => {
    const { orders: count, lost, doubled, differences } = compareOrders(input, output);
    if (differences.length === 0) return [];
    return [`${count} orders: ${lost} lost, ${doubled} doubled`, ...differences];
  },
};

/** Kills a job until it has been killed often enough; every round ends with a comparison. */
async function campaign(context: TestContext, victim: Victim): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), `millrace-kills-${victim.name}-`));
  const input = join(folder, 'input');
  const random = new SeededRandom(`${seed} ${victim.name}`);
  await victim.prepare(input);
  const sum = { kills: 0, recoveries: 0, checkpoints: 0 };
  for (let round = 0; sum.kills < KILLS_PER_JOB; round++) {
    assert.ok(round < KILLS_PER_JOB, `${victim.name} is too fast to be killed: ${sum.kills} kills`);
    const manner = manners[round % manners.length]!;
    const place = join(folder, `round-${round}`);
    const output = join(place, 'output');
    const lines: string[] = [];
    const report = await killAndRecover({
      args: [
        ...[victim.file, '--checkpoint-dir', join(place, 'checkpoints'), '--interval', '60ms'],
        // A failure that is not ours must be seen, and not be healed by a restart.
        ...['--restart', 'none', '--param', `input=${input}`, '--param', `output=${output}`],
      ],
      argsOfLife: (life) => [
        '--parallelism',
        String(manner.parallelism[life % manner.parallelism.length]),
      ],
      surroundings: {
        env: { ...process.env, ...quickStart, MILLRACE_RUNTIME_DIR: join(folder, 'run') },
      },
      kills: KILLS_PER_ROUND,
      moments: manner.moments,
      random: () => random.next(),
      say: (text) => lines.push(text),
    }).catch((error: unknown) => failed(place, manner, [...lines, String(error)]));
    const differences = await victim.compare(input, output);
    if (differences.length > 0) failed(place, manner, [...lines, ...differences]);
    sum.kills += report.kills;
    sum.recoveries += report.recoveriesMs.length;
    sum.checkpoints += report.checkpoints;
    rmSync(place, { recursive: true });
  }
  rmSync(folder, { recursive: true });
  const { kills, recoveries, checkpoints } = sum;
  context.diagnostic(
    `${victim.name}: ${kills} kills, ${recoveries} recoveries from a checkpoint, ` +
      `${checkpoints} checkpoints, 0 lost, 0 doubled (seed ${seed})`,
  );
  assert.ok(recoveries > kills / 4, `only ${recoveries} recoveries after ${kills} kills`);
}

function failed(place: string, manner: Manner, lines: readonly string[]): never {
  assert.fail(`seed ${seed}, ${JSON.stringify(manner)}, see ${place}\n  ${lines.join('\n  ')}`);
}

suite('killed at random moments, a job recovers to the exact record', { concurrency: 2 }, () => {
  test('flights: daily windows, monthly timers', (context) => campaign(context, flights));
  test('orders: repetitions, windows, running totals', (context) => campaign(context, orders));
});
