// Goal: what becomes of every state is said before a job starts, whatever versions its stored
// entries have. Method: one operator, one table, by table of cases.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TableDescription } from '../state/snapshot.ts';
import { StateTableIncompatibleError } from './checkpoint-errors.ts';
import { type Manifest, MANIFEST_FORMAT_VERSION } from './manifest.ts';
import {
  type RestoreTarget,
  stateChanges,
  storedTables,
  type TargetTable,
} from './state-changes.ts';

const KEY_GROUPS = { first: 0, last: 127 };
const RUN = { file: 'shared/1-1-1.run', offset: 0, length: 9, crc32: 0, entries: 1 };

/** @param tables of each subtask */
function manifest(...tables: TableDescription[][]): Manifest {
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
    operators: {
      total: {
        parallelism: tables.length,
        maxParallelism: 128,
        subtasks: tables.map((ofSubtask) => ({
          finished: false,
          keyed: {
            keyGroups: KEY_GROUPS,
            tables: ofSubtask,
            runs: [{ ...RUN, keyGroups: KEY_GROUPS }],
          },
          lists: [],
        })),
      },
    },
    enumerators: {},
  };
}

function targets(...tables: TargetTable[]): Record<string, RestoreTarget> {
  return { total: { parallelism: 1, maxParallelism: 128, tables, lists: [] } };
}

function sum(version: number, canMigrate: boolean): TargetTable {
  return { name: 'sum', kind: 'value', version, canMigrate };
}

const STRICT = { allowDroppedState: false };
const DROPPING = { allowDroppedState: true };

test('stateChanges tells kept, migrated and refused by all versions that are stored', () => {
  const cases: readonly [stored: Partial<TableDescription>, TargetTable, string][] = [
    [{ version: 2 }, sum(2, false), 'kept'],
    [{ version: 1 }, sum(2, true), 'migrated'],
    [{ version: 1 }, sum(2, false), 'refused'],
    [{ version: 2 }, sum(1, true), 'refused'],
    // Written by version 2, but entries of version 1 were never touched since.
    [{ version: 2, versions: [1, 2] }, sum(2, true), 'migrated'],
    [{ version: 2, versions: [1, 2] }, sum(2, false), 'refused'],
    [{ version: 2, versions: [1, 2] }, sum(3, true), 'migrated'],
    // A job of version 2 that had restored version 3 never ran; but the manifest says what it says.
    [{ version: 1, versions: [1, 3] }, sum(2, true), 'refused'],
    [{ version: 1, kind: 'list' }, sum(1, true), 'refused'],
  ];
  for (const [stored, declared, expected] of cases) {
    const old = { name: 'sum', kind: 'value', version: 1, ...stored };
    const [change, ...more] = stateChanges(manifest([old]), targets(declared), DROPPING);
    assert.equal(change?.change, expected, JSON.stringify([old, declared]));
    assert.equal(change.error instanceof StateTableIncompatibleError, expected === 'refused');
    assert.deepEqual(more, []);
  }
});

test('stateChanges says which versions are stored and what is missing', () => {
  const old = { name: 'sum', kind: 'value', version: 3, versions: [1, 2, 3] };
  const [change] = stateChanges(manifest([old]), targets(sum(3, false)), STRICT);
  assert.deepEqual(change?.storedVersions, [1, 2, 3]);
  assert.match(change.error?.message ?? '', /entries of versions 1, 2 are stored, .* no migrate$/);
  assert.match(change.error?.hint ?? '', /migrate/);
});

test('stateChanges unites the versions of all subtasks', () => {
  const at = (version: number, versions?: number[]): TableDescription => ({
    name: 'sum',
    kind: 'value',
    version,
    ...(versions === undefined ? {} : { versions }),
  });
  const stored = manifest([at(2)], [at(3, [1, 3])]);
  assert.deepEqual(storedTables(stored.operators.total!), [at(3, [1, 2, 3])]);
  const [change] = stateChanges(stored, targets(sum(3, true)), STRICT);
  assert.deepEqual([change?.change, change?.storedVersions], ['migrated', [1, 2, 3]]);
});

test('stateChanges tells new states and new operators', () => {
  const old = { name: 'sum', kind: 'value', version: 1 };
  const job = { ...targets(sum(1, false), { ...sum(1, false), name: 'count' }) };
  const more = {
    late: { parallelism: 1, maxParallelism: 128, tables: [sum(1, false)], lists: [] },
  };
  const changes = stateChanges(manifest([old]), { ...job, ...more }, STRICT);
  assert.deepEqual(
    changes.map(({ operatorUid, state, change }) => `${operatorUid}.${state} ${change}`),
    ['total.sum kept', 'total.count new', 'late.sum new'],
  );
});

test('stateChanges lists every refusal, not only the first', () => {
  const stored = manifest([
    { name: 'sum', kind: 'value', version: 2 },
    { name: 'gone', kind: 'map', version: 1 },
  ]);
  const changes = stateChanges(stored, targets(sum(1, false)), STRICT);
  assert.deepEqual(
    changes.map(({ change }) => change),
    ['refused', 'refused'],
  );
  const allowed = stateChanges(stored, targets(sum(1, false)), DROPPING);
  assert.deepEqual(
    allowed.map(({ change }) => change),
    ['refused', 'dropped'],
  );
});
