// Goal: a job whose checkpoints are on a server far away is as safe as one with a local directory:
// its process may die, the server may die, and the output is exact. Method: real servers (S3 and
// HDFS), the real command in processes of its own, SIGKILL.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SeededRandom } from '@millrace/testing';
import { killAndRecover } from '../../examples/demo/kill-and-recover.ts';
import { compareTotals, expectedTotals } from '../../examples/flights/check-totals.ts';
import { prepareFlights } from '../../examples/flights/prepare.ts';
import { startMiniHdfs } from '../../tools/servers/hdfs/mini-hdfs.ts';
import { startVersitygw } from '../../tools/servers/versitygw.ts';
import { quickStart, Shop } from '../e2e/shop.ts';
import { assertAllTallies, assertExactTallies } from '../e2e/tally-check.ts';

const flightsJob = join(import.meta.dirname, '..', '..', 'examples', 'flights', 'flights.ts');
const folder = mkdtempSync(join(tmpdir(), 'millrace-remote-'));
const FLIGHTS = 1_000_000;
const KILLS = 6;

/** A server, seen alike. */
interface Remote {
  readonly name: string;
  /** A URL that nobody has used. */
  url(): string;
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

let places = 0;

async function s3(): Promise<Remote> {
  const server = await startVersitygw(['checkpoints']);
  process.env.AWS_ACCESS_KEY_ID = server.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = server.secretAccessKey;
  const parameters = new URLSearchParams({ endpoint: server.endpoint, region: 'us-east-1' });
  return {
    name: 'S3',
    url: () => `s3://checkpoints/place-${places++}?${parameters}`,
    kill: server.kill,
    restart: server.restart,
    stop: server.stop,
  };
}

async function hdfs(): Promise<Remote> {
  const server = await startMiniHdfs(join(folder, 'hdfs'));
  return {
    name: 'HDFS',
    url: () => `${server.url}/place-${places++}`,
    kill: server.kill,
    restart: server.restart,
    stop: server.stop,
  };
}

before(async () => {
  await prepareFlights(join(folder, 'flights'), FLIGHTS);
});
after(() => rmSync(folder, { recursive: true }));

/** Killed again and again, it gives the totals of a plain loop. */
async function isKilled(context: TestContext, remote: Remote): Promise<void> {
  const input = join(folder, 'flights');
  const output = join(folder, `totals-${remote.name}`);
  const random = new SeededRandom(`remote ${remote.name}`);
  const lines: string[] = [];
  const report = await killAndRecover({
    args: [
      ...[flightsJob, '--checkpoint-dir', remote.url(), '--interval', '100ms'],
      ...['--inline-bytes', '0'], // runs are objects: read again by a thread that blocks
      ...['--restart', 'none', '--param', `input=${input}`, '--param', `output=${output}`],
    ],
    surroundings: { env: { ...process.env, ...quickStart, MILLRACE_RUNTIME_DIR: folder } },
    kills: KILLS,
    moments: [
      { after: 'first checkpoint', leastMs: 0, mostMs: 150 },
      { after: 'first checkpoint', leastMs: 0, mostMs: 30 },
      { after: 'claimed', leastMs: 0, mostMs: 100 },
    ],
    random: () => random.next(),
    say: (text) => lines.push(text),
  });
  const expected = await expectedTotals(input);
  const { lost, doubled, committed } = await compareTotals(expected, output);
  const story = lines.join('\n  ');
  assert.deepEqual({ lost, doubled }, { lost: 0, doubled: 0 }, story);
  assert.equal(committed, expected.flights, story);
  assert.ok(
    report.kills >= 2 && report.recoveriesMs.length >= 2,
    `too fast to be killed\n${story}`,
  );
  const slowest = Math.max(...report.recoveriesMs).toFixed(0);
  context.diagnostic(
    `${remote.name}: ${report.kills} kills, ${report.checkpoints} checkpoints, ` +
      `recovered within ${slowest} ms, 0 lost, 0 doubled`,
  );
}

/** Its server dies under it and comes back: it goes on, and loses nothing. */
async function losesItsServer(context: TestContext, remote: Remote): Promise<void> {
  const shop = new Shop(context);
  const url = remote.url();
  const tolerant = ['--checkpoint-dir', url, '--tolerable-failures', '1000', '--json'];
  const job = shop.startJob('tally', ...tolerant, '--restart', 'fixed:50:200ms');
  await job.saw('checkpointCompleted', 3);
  await remote.kill();
  const last = job.events('checkpointCompleted').length;
  await job.saw('checkpointAborted');
  await sleep(500);
  await remote.restart();
  await job.saw('checkpointCompleted', last + 3);
  job.child.kill('SIGKILL');
  await job.exit();
  // The last good one is there, and whole.
  assert.match(shop.millrace('checkpoints', 'verify', url), /^intact {2}chk-/m);
  const count = Math.ceil(assertExactTallies(shop) / 1_000) * 1_000 + 20_000;
  const rest = ['--param', `count=${count}`, '--param', 'rate=50000'];
  const again = shop.startJob('tally', ...tolerant, ...rest);
  assert.equal(await again.exit(), 0, again.text);
  assert.equal(again.events('restored').length, 1, again.text);
  assertAllTallies(shop, count);
}

/** Every command takes a URL. */
async function isCommanded(context: TestContext, remote: Remote): Promise<void> {
  const shop = new Shop(context);
  const url = remote.url();
  const savepoints = remote.url();
  const job = shop.startJob('tally', '--checkpoint-dir', url, '--json');
  await job.saw('checkpointCompleted', 2);
  assert.match(shop.millrace('list'), /^tally .*running/);
  const savepoint: string = JSON.parse(shop.millrace('savepoint', savepoints, '--json')).path;
  const stopped = JSON.parse(shop.millrace('stop', '--savepoint', savepoints, '--json'));
  assert.equal(await job.exit(), 0, job.text);
  const last: string = stopped.lastCheckpoint.path;
  assert.notEqual(last, savepoint);
  for (const path of [savepoint, last]) {
    assert.match(shop.millrace('checkpoints', 'ls', path), /savepoint \d+/);
    assert.match(shop.millrace('checkpoints', 'verify', path), /^intact /m);
  }
  assert.match(shop.millrace('checkpoints', 'ls', url), /^tally/);
  assert.match(shop.millrace('checkpoints', 'show', url, 'tally'), /of job/);
  assert.match(shop.millrace('checkpoints', 'gc', url, '--delete'), /of \d+ files/);

  const fromLast = ['--checkpoint-dir', url, '--from', last, '--param', 'count=20000'];
  const finished = shop.startJob('tally', ...fromLast, '--param', 'rate=50000', '--json');
  assert.equal(await finished.exit(), 0, finished.text);
  assertAllTallies(shop, 20_000);

  const fork = ['--checkpoint-dir', remote.url(), '--from', savepoint, '--param', 'output=fork'];
  const running = shop.startJob('tally', ...fork, '--json');
  await running.saw('checkpointCompleted', 1);
  shop.millrace('cancel');
  assert.equal(await running.exit(), 0, running.text);
}

for (const start of [s3, hdfs]) {
  suite(`a job with its checkpoints on ${start.name === 's3' ? 'S3' : 'HDFS'}`, () => {
    let remote: Remote;
    before(async () => {
      remote = await start();
    });
    after(() => remote.stop());
    test('recovers to the exact record, killed again and again', (t) => isKilled(t, remote));
    test('obeys commands with URLs', (t) => isCommanded(t, remote));
    test('goes on when its server was killed and came back', (t) => losesItsServer(t, remote));
  });
}
