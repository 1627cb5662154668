// Goal: `checkSink` tells right from wrong in sinks that it has not been written for. Method: sinks
// of a stranger's making, most of them wrong in one place; the verdict and what shows it are known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sink } from '@millrace/core/connector';
import { assertExactlyOnce, checkSink, type SinkReport, type SinkVerdict } from '@millrace/testing';
import { forgetfulTargetSink } from './forgetful-target-sink.ts';
import { hastySink } from './hasty-sink.ts';
import { ledgerSink } from './ledger-sink.ts';
import {
  appendsToOldBatch,
  commitsBlindly,
  dropsEverything,
  forgetsItsRest,
  publishesAtPrepare,
} from './subtle-database-sinks.ts';
import { DIRECTORY, fileSinkWith } from './subtle-file-sinks.ts';
import { Warehouse } from './warehouse.ts';

// Of the default of 50, so that it does not take long.
const POINTS = 12;

// All of one length: a torn row is never another one.
function rowOf(index: number): string {
  return `row ${String(index).padStart(2, '0')}`;
}

function checkWarehouse(
  make: (warehouse: Warehouse) => Sink<string>,
  only?: string,
): Promise<SinkReport> {
  return checkSink<string>({
    ...(only === undefined ? {} : { only }),
    setUp() {
      const warehouse = new Warehouse();
      return { sink: () => make(warehouse), read: () => warehouse.table };
    },
    points: POINTS,
    record: rowOf,
  });
}

function checkFiles(mistakes: Parameters<typeof fileSinkWith>[0]): Promise<SinkReport> {
  return checkSink<string>({
    setUp: () => ({
      sink: () => fileSinkWith(mistakes),
      async read({ fileSystem }) {
        const rows: string[] = [];
        for (const { name, kind } of await fileSystem.list(DIRECTORY)) {
          if (kind !== 'file') continue;
          const bytes = await fileSystem.readFile(`${DIRECTORY}/${name}`);
          rows.push(...new TextDecoder().decode(bytes).split('\n'));
        }
        return rows.filter((row) => row !== '');
      },
    }),
    points: POINTS,
    record: rowOf,
  });
}

interface Expected {
  readonly verdict: SinkVerdict;
  /** Of the first story that shows it. */
  readonly story?: RegExp;
}

const cases: Readonly<Record<string, readonly [() => Promise<SinkReport>, Expected]>> = {
  'whose rows travel in the checkpoint': [
    () => checkWarehouse(ledgerSink),
    { verdict: 'exactly-once' },
  ],
  'that does not wait for its rows': [
    () => checkWarehouse(hastySink),
    { verdict: 'lossy', story: /^$/ }, // calls overtake each other: no crash is needed
  ],
  'that knows only its last batch': [
    () => checkWarehouse(forgetfulTargetSink),
    { verdict: 'at-least-once', story: /checkpoint 3 was being committed/ },
  ],
  'that publishes at prepareCommit': [
    () => checkWarehouse(publishesAtPrepare),
    { verdict: 'at-least-once', story: /checkpoint 1 was being persisted/ },
  ],
  'that commits blindly': [
    () => checkWarehouse(commitsBlindly),
    { verdict: 'at-least-once', story: /committed/ },
  ],
  'that forgets what is left in its buffer': [
    () => checkWarehouse(forgetsItsRest),
    { verdict: 'lossy', story: /restarted/ },
  ],
  'that goes on with an old batch': [
    () => checkWarehouse(appendsToOldBatch),
    { verdict: 'at-least-once', story: /the job restarted/ },
  ],
  'whose recovery drops what others have staged': [
    () => checkWarehouse(dropsEverything),
    { verdict: 'lossy', story: /fell asleep/ },
  ],
  'that writes files and makes no mistake': [() => checkFiles({}), { verdict: 'exactly-once' }],
  'whose attempts share the names of files': [
    () => checkFiles({ sharedNames: true }),
    { verdict: 'lossy-and-doubling', story: /fell asleep/ },
  ],
  'whose files are not synced': [
    () => checkFiles({ unsynced: true }),
    { verdict: 'lossy', story: /the power went off/ },
  ],
  'whose commit is not synced': [
    () => checkFiles({ unsyncedCommit: true }),
    { verdict: 'lossy', story: /the power went off/ },
  ],
  'whose recovery deletes live files': [
    () => checkFiles({ deletesLive: true }),
    { verdict: 'lossy', story: /no such file/ },
  ],
};

for (const [what, [check, { verdict, story }]] of Object.entries(cases)) {
  test(`checkSink finds a sink ${what} ${verdict}`, async () => {
    const report = await check();
    assert.equal(report.verdict, verdict, report.text);
    if (verdict === 'exactly-once') return assertExactlyOnce(report);
    assert.throws(() => assertExactlyOnce(report), { name: 'AssertionError' });
    const finding = report.lost ?? report.doubled;
    if (story !== undefined) assert.match(finding!.story.join('\n'), story, report.text);
  });
}

test('checkSink runs the scenario of a finding again, with its trace', async () => {
  const { doubled } = await checkWarehouse(commitsBlindly);
  const again = await checkWarehouse(commitsBlindly, doubled!.scenario);
  assert.equal(again.scenarios, 1);
  assert.deepEqual(again.doubled?.story, doubled!.story);
  assert.deepEqual(again.doubled?.value, doubled!.value);
  assert.ok(again.trace.length > 0);
});

test('checkSink refuses records that do not differ, and ids that are none', async () => {
  const setUp = () => ({ sink: () => ledgerSink(new Warehouse()), read: () => [] });
  const invalid = { code: 'INVALID_OPTION' };
  await assert.rejects(checkSink({ setUp, record: () => 'same' }), invalid);
  await assert.rejects(checkSink({ setUp, record: rowOf, only: 'seed1/p2/flood@3' }), invalid);
});

test('checkSink lets rows be seen early where only the last content counts', async () => {
  const check = (earlyOutput: 'problem' | 'allowed') =>
    checkSink<string>({
      setUp() {
        const table = new Map<string, string>();
        return { sink: () => upsertSink(table), read: () => [...table.values()] };
      },
      record: rowOf,
      points: POINTS,
      earlyOutput,
    });
  assert.equal((await check('allowed')).verdict, 'exactly-once');
  const { verdict, early } = await check('problem');
  assert.equal(verdict, 'at-least-once');
  assert.equal(early?.problem, 'early');
});

/** One row per key, written at once. */
function upsertSink(table: Map<string, string>): Sink<string> {
  return {
    name: 'upserts',
    delivery: 'at-least-once',
    createWriter: () => ({
      write: (row) => void table.set(row, row),
      ready: () => null,
      prepareCommit: () => async () => ({ committables: [], writerStates: [] }),
      async close() {},
    }),
  };
}
