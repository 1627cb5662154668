// `npm run demo`: the flights job, killed with SIGKILL at random moments, recovers to the exact
// record. The totals are compared with a plain loop over the same input.
//
// `npm run demo -- --checkpoint-dir s3://bucket/prefix?...` keeps the checkpoints elsewhere.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { placeBelow } from '@millrace/core/checkpoint';
import { compareTotals, expectedTotals } from '../flights/check-totals.ts';
import { prepareFlights } from '../flights/prepare.ts';
import { killAndRecover } from './kill-and-recover.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DATA = `${ROOT}data`;
const KILLS = 5;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function timed<T>(title: string, work: () => Promise<T>): Promise<T> {
  const startedAtMs = performance.now();
  const result = await work();
  say(`${title} (${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s)`);
  return result;
}

/** A place of this demo alone: what earlier ones left in a place of yours is yours to delete. */
function checkpointPlace(): string {
  const { values } = parseArgs({ options: { 'checkpoint-dir': { type: 'string' } } });
  const given = values['checkpoint-dir'];
  if (given !== undefined) return placeBelow(given, `demo-${Date.now()}`);
  rmSync(`${DATA}/checkpoints`, { recursive: true, force: true });
  return `${DATA}/checkpoints`;
}

async function main(): Promise<void> {
  say('Millrace demo: 3 million flights, daily and monthly totals, exactly once');
  const input = `${DATA}/flights`;
  const output = `${DATA}/totals`;
  const checkpoints = checkpointPlace();
  rmSync(output, { recursive: true, force: true });
  await timed('input: 3 000 000 flights in JSON Lines files', () =>
    prepareFlights(input, undefined, (text) => say(`  ${text}`)),
  );
  const expected = await timed('oracle: totals by a plain loop', () => expectedTotals(input));

  say(`job: examples/flights/flights.ts, a process of its own, killed ${KILLS} times`);
  say(`checkpoints: ${checkpoints}`);
  const report = await timed('job finished', () =>
    killAndRecover({
      args: [
        `${ROOT}examples/flights/flights.ts`,
        ...['--checkpoint-dir', checkpoints, '--interval', '200ms'],
        ...['--param', `input=${input}`, '--param', `output=${output}`],
      ],
      kills: KILLS,
      moments: [{ after: 'first checkpoint', leastMs: 0, mostMs: 1_200 }],
      random: Math.random,
      say,
    }),
  );
  const result = await timed('compared', () => compareTotals(expected, output));
  for (const difference of result.differences) say(`  ${difference}`);
  const recoveries = report.recoveriesMs.map((ms) => `${ms.toFixed(0)} ms`).join(', ');
  say(`${report.kills} kills, recovered in ${recoveries}; ${report.checkpoints} checkpoints`);
  say(`${expected.flights} read, ${result.committed} committed (${result.late} of them late)`);
  say(`${result.lost} lost, ${result.doubled} doubled`);
  const exact = result.lost === 0 && result.doubled === 0 && report.kills > 0;
  process.exitCode = exact && result.committed === expected.flights ? 0 : 1;
}

await main();
