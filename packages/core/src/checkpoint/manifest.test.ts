// Goal: what is read is what was written, or an error says that it is not; never something else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SubtaskSnapshot } from '../state/snapshot.ts';
import { encodeCheckedJson } from './checked-json.ts';
import { CorruptManifestError, UnsupportedManifestVersionError } from './checkpoint-errors.ts';
import { describeManifest } from './describe.ts';
import { decodeManifest, encodeManifest, type ManifestHeader, manifestOf } from './manifest.ts';

const HEADER: ManifestHeader = {
  jobName: 'order-totals',
  instanceId: '00ff',
  generation: 3,
  checkpointId: 41,
  kind: 'checkpoint',
  triggeredAtMs: 1_700_000_000_000,
  completedAtMs: 1_700_000_000_120,
  fingerprint: 'f00d',
  operators: {
    orders: { parallelism: 1, maxParallelism: 128 },
    total: { parallelism: 2, maxParallelism: 128 },
  },
  enumerators: { orders: { seen: ['a', 'ü'] } },
};

function snapshotOf(first: number, finished: boolean): SubtaskSnapshot {
  return {
    finished,
    operators: {
      total: {
        keyed: {
          keyGroups: { first, last: first + 63 },
          tables: [{ name: 'sum', kind: 'value', version: 2 }],
          runs: [
            {
              file: 'shared/3-1-1.run',
              offset: first,
              length: 64,
              crc32: 7,
              keyGroups: { first, last: first + 63 },
              entries: 5,
            },
          ],
        },
        lists: [{ name: 'seen', redistribution: 'split', elements: [first] }],
      },
    },
  };
}

const MANIFEST = manifestOf(
  HEADER,
  new Map([
    ['total#0', snapshotOf(0, false)],
    ['total#1', snapshotOf(64, true)],
  ]),
);

test('manifestOf puts each subtask in its place, and operators that have nothing too', () => {
  const { orders, total } = MANIFEST.operators;
  assert.deepEqual(orders?.subtasks, [{ finished: false, keyed: null, lists: [] }]);
  assert.deepEqual(
    total?.subtasks.map(({ finished, keyed }) => [finished, keyed?.keyGroups.first]),
    [
      [false, 0],
      [true, 64],
    ],
  );
});

test('manifestOf keeps a vertex whose id holds the separator apart from its index', () => {
  const header = { ...HEADER, operators: { 'a#1': { parallelism: 2, maxParallelism: 128 } } };
  const snapshot = { finished: true, operators: { 'a#1': { keyed: null, lists: [] } } };
  const manifest = manifestOf(header, new Map([['a#1#1', snapshot]]));
  assert.deepEqual(
    manifest.operators['a#1']?.subtasks.map(({ finished }) => finished),
    [false, true],
  );
});

test('a manifest is read as it was written, and is readable JSON', () => {
  const bytes = encodeManifest(MANIFEST);
  assert.deepEqual(decodeManifest(bytes, 'm'), MANIFEST);
  assert.equal(JSON.parse(Buffer.from(bytes).toString()).jobName, 'order-totals');
});

test('decodeManifest finds every changed bit', () => {
  const bytes = encodeManifest(MANIFEST);
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      bytes[at]! ^= 1 << bit;
      assert.throws(() => decodeManifest(bytes, 'm'), CorruptManifestError, `bit ${bit} of ${at}`);
      bytes[at]! ^= 1 << bit;
    }
  }
  assert.deepEqual(decodeManifest(bytes, 'm'), MANIFEST);
});

test('decodeManifest finds every cut and every byte too many', () => {
  const bytes = encodeManifest(MANIFEST);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeManifest(bytes.subarray(0, length), 'm'), CorruptManifestError);
  }
  assert.throws(() => decodeManifest(Buffer.concat([bytes, bytes]), 'm'), CorruptManifestError);
});

test('decodeManifest refuses a version that it does not know', () => {
  const bytes = encodeCheckedJson({ formatVersion: 3, jobName: 'order-totals' });
  assert.throws(() => decodeManifest(bytes, 'm'), UnsupportedManifestVersionError);
});

test('describeManifest says what everything is and where it lies', () => {
  const text = describeManifest(MANIFEST);
  for (const part of [
    'Checkpoint 41 of job "order-totals"',
    '2023-11-14 22:13:20.000 UTC, in 120 ms',
    'operator "total": 2 subtasks, 128 key groups, 1 finished',
    'table "sum": value, version 2',
    '2 runs (sorted, immutable), 128 B, 10 entries',
    'list "seen": 2 elements, split',
    'operator "orders": 1 subtask',
    'no state',
    'enumerator: {"seen":["a","ü"]}',
    'shared/3-1-1.run  (at least 128 B)',
  ]) {
    assert.ok(text.includes(part), `${part}\n${text}`);
  }
});
