// Goal: nothing of a snapshot is lost, doubled or given to the wrong subtask, at any parallelism,
// and what cannot be restored is said before the job starts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyGroupRangeOf, subtaskOf } from '../element/key-group.ts';
import type { RunReference } from '../state/snapshot.ts';
import {
  MaxParallelismChangedError,
  StateOperatorMissingError,
  StateTableIncompatibleError,
  StateTableMissingError,
} from './checkpoint-errors.ts';
import { figuresOf, runIdsOf } from './figures-of.ts';
import { explainFiles, filesOf, sizeBytesOf } from './files-of.ts';
import { type Manifest, MANIFEST_FORMAT_VERSION } from './manifest.ts';
import { redistribute } from './redistribute.ts';
import { planRestore, type RestorePlan } from './restore-plan.ts';
import type { RestoreTarget } from './state-changes.ts';

const MAX = 16;

function manifest(parallelism: number): Manifest {
  const subtasks = Array.from({ length: parallelism }, (_, index) => {
    const keyGroups = keyGroupRangeOf(index, MAX, parallelism);
    const run = (age: string): RunReference => ({
      file: `shared/${age}-${index}.run`,
      offset: 10,
      length: 100,
      crc32: 0,
      keyGroups,
      entries: 1,
    });
    return {
      finished: true,
      keyed: {
        keyGroups,
        tables: [{ name: 'sum', kind: 'value', version: 2 }],
        runs: [run('new'), run('old')],
      },
      lists: [{ name: 'seen', redistribution: 'split' as const, elements: [index, index + 100] }],
    };
  });
  return {
    formatVersion: MANIFEST_FORMAT_VERSION,
    jobName: 'j',
    instanceId: 'i',
    generation: 1,
    checkpointId: 1,
    kind: 'checkpoint',
    triggeredAtMs: 0,
    completedAtMs: 0,
    fingerprint: 'f',
    operators: { total: { parallelism, maxParallelism: MAX, subtasks } },
    enumerators: { orders: 1 },
  };
}

const SOURCE: RestoreTarget = { parallelism: 1, maxParallelism: MAX, tables: [], lists: [] };

function targets(parallelism: number, more: Partial<RestoreTarget> = {}) {
  const total: RestoreTarget = {
    parallelism,
    maxParallelism: MAX,
    tables: [{ name: 'sum', kind: 'value', version: 2, canMigrate: false }],
    lists: [{ name: 'seen', redistribution: 'split' }],
    ...more,
  };
  return { total, orders: SOURCE };
}

function droppedBy({ changes }: RestorePlan): string[] {
  return changes.filter(({ change }) => change === 'dropped').map(({ operatorUid }) => operatorUid);
}

const STRICT = { allowDroppedState: false };
const DROPPING = { allowDroppedState: true };

test('planRestore gives each key group of the snapshot to its owner, at any parallelism', () => {
  for (let before = 1; before <= 8; before++) {
    for (let now = 1; now <= 8; now++) {
      const plan = planRestore(manifest(before), targets(now), STRICT);
      const { subtasks } = plan.operators.get('total')!;
      assert.equal(subtasks.length, now);
      for (let group = 0; group < MAX; group++) {
        const owner = subtasks[subtaskOf(group, MAX, now)]!;
        const files = owner
          .keyed!.runs.filter(
            ({ keyGroups }) => keyGroups.first <= group && group <= keyGroups.last,
          )
          .map(({ file }) => file);
        const old = subtaskOf(group, MAX, before);
        assert.deepEqual(files, [`shared/new-${old}.run`, `shared/old-${old}.run`]);
      }
      const elements = subtasks.flatMap(({ lists }) => lists.flatMap((list) => list.elements));
      assert.equal(new Set(elements).size, elements.length);
      assert.equal(elements.length, before * 2);
    }
  }
});

test('planRestore passes enumerators on and knows finished operators', () => {
  const plan = planRestore(manifest(2), targets(2), STRICT);
  assert.deepEqual(plan.enumerators, { orders: 1 });
  assert.equal(plan.operators.get('total')?.isFinished, true);
  assert.deepEqual(droppedBy(plan), []);
});

test('planRestore leaves a new operator empty', () => {
  const plan = planRestore(manifest(1), { ...targets(1), added: SOURCE }, STRICT);
  assert.equal(plan.operators.has('added'), false);
});

test('planRestore names a missing operator and a missing source', () => {
  assert.throws(
    () => planRestore(manifest(1), {}, STRICT),
    (error: StateOperatorMissingError) => {
      assert.deepEqual(error.details.operatorUids, ['orders', 'total']);
      return error instanceof StateOperatorMissingError;
    },
  );
  assert.deepEqual(droppedBy(planRestore(manifest(1), {}, DROPPING)), ['orders', 'total']);
});

test('planRestore does not miss an operator that had no state', () => {
  const { operators, ...rest } = manifest(1);
  const empty = { finished: false, keyed: null, lists: [] };
  const map = { parallelism: 1, maxParallelism: MAX, subtasks: [empty] };
  planRestore({ ...rest, operators: { ...operators, map } }, targets(1), STRICT);
});

test('planRestore names a dropped table and a dropped list', () => {
  for (const gone of [{ tables: [] }, { lists: [] }]) {
    assert.throws(() => planRestore(manifest(1), targets(1, gone), STRICT), StateTableMissingError);
    assert.equal(droppedBy(planRestore(manifest(1), targets(1, gone), DROPPING)).length, 1);
  }
});

test('planRestore refuses a newer version and another kind, not an older version', () => {
  const withTable = (kind: string, version: number) =>
    planRestore(
      manifest(1),
      targets(1, { tables: [{ name: 'sum', kind, version, canMigrate: true }] }),
      STRICT,
    );
  assert.throws(() => withTable('value', 1), StateTableIncompatibleError);
  assert.throws(() => withTable('list', 2), StateTableIncompatibleError);
  withTable('value', 3);
});

test('planRestore refuses another maxParallelism for keyed state', () => {
  const changed = targets(1, { maxParallelism: 32 });
  assert.throws(() => planRestore(manifest(1), changed, STRICT), MaxParallelismChangedError);
});

test('redistribute splits evenly, unites and copies', () => {
  assert.deepEqual(redistribute('split', [['a', 'b', 'c'], []], 2), [['a', 'b', 'c'], []]);
  assert.deepEqual(redistribute('split', [['a', 'b'], ['c'], ['d']], 2), [
    ['a', 'b'],
    ['c', 'd'],
  ]);
  assert.deepEqual(redistribute('union', [['a'], ['b']], 2), [
    ['a', 'b'],
    ['a', 'b'],
  ]);
  assert.deepEqual(redistribute('broadcast', [['a'], ['b']], 3), [['a'], ['b'], ['a']]);
  assert.deepEqual(redistribute('broadcast', [['a'], []], 2), [['a'], ['a']], 'one copy each');
  assert.deepEqual(redistribute('broadcast', [[], []], 1), [[]]);
});

test('filesOf and sizes count a shared run once', () => {
  assert.equal(sizeBytesOf(manifest(2)), 400);
  const newBytes = (before: Manifest | null): number =>
    figuresOf(manifest(2), runIdsOf(before), () => 0).writtenBytes;
  assert.equal(newBytes(manifest(1)), 200);
  assert.equal(newBytes(null), 400);
  assert.equal(filesOf(manifest(1)).get('shared/new-0.run'), 110);
});

test('explainFiles explains every object', () => {
  const kept = new Map([['chk-1/manifest.json', manifest(1)]]);
  const verdicts = explainFiles(
    [
      'chk-1/manifest.json',
      'chk-2/manifest.json',
      'log/0000000001.json',
      'log/0000000003.json',
      'notes.txt',
      'shared/new-0.run',
      'shared/pinned.run',
      'shared/unknown.run',
    ],
    kept,
    (name) => name === 'shared/pinned.run',
  );
  assert.deepEqual(
    verdicts.map(({ verdict }) => verdict),
    ['manifest', 'garbage', 'garbage', 'slot', 'foreign', 'run', 'run', 'garbage'],
  );
  assert.equal(verdicts[5]?.why, 'state of checkpoint 1');
});
