import type { StreamError } from '../base/errors.ts';
import type { Redistribution, TableDescription } from '../state/snapshot.ts';
import {
  MaxParallelismChangedError,
  StateOperatorMissingError,
  StateTableIncompatibleError,
  StateTableMissingError,
} from './checkpoint-errors.ts';
import type { Manifest, OperatorManifest } from './manifest.ts';

/** A keyed table that an operator of the job will declare. */
export interface TargetTable {
  readonly name: string;
  readonly kind: string;
  readonly version: number;
  /** Whether it comes with a `migrate`. */
  readonly canMigrate: boolean;
  /** Kept by Millrace (windows, timers), not declared by the user's function. */
  readonly isInternal?: boolean;
}

/** An operator of the job that is to be restored. */
export interface RestoreTarget {
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** Keyed tables that it will declare. */
  readonly tables: readonly TargetTable[];
  /** Lists that it will declare. */
  readonly lists: readonly {
    readonly name: string;
    readonly redistribution: Redistribution;
    readonly isInternal?: boolean;
  }[];
}

/** What becomes of one state of a snapshot, or of the job, at a restore. */
export interface StateChange {
  readonly operatorUid: string;
  /** null: all state of the operator. */
  readonly state: string | null;
  /** `value`, `map`, ...; `list` of operator state is `operator list`; null: all of an operator. */
  readonly kind: string | null;
  /**
   * `kept`: read as it is. `migrated`: entries of older versions go through `migrate` when they are
   * read. `new`: begins empty. `dropped`: left behind, as the user allowed. `refused`: see `error`.
   */
  readonly change: 'kept' | 'migrated' | 'new' | 'dropped' | 'refused';
  /** All versions that stored entries may have, ascending; empty where there are none. */
  readonly storedVersions: readonly number[];
  /** What the job declares; null: nothing. */
  readonly version: number | null;
  /** Kept by Millrace (windows, timers, positions), not declared by the user's function. */
  readonly isInternal: boolean;
  /** What a restore would throw; null unless `refused`. */
  readonly error: StreamError | null;
}

/**
 * Compares a snapshot with a job, state by state. Pure; says everything that can be known before
 * the job starts. Versions come from the manifest: all that may occur in live runs, not only the
 * newest. What a `migrate` does to a value is known only when the value is read.
 *
 * @param targets operators of the job, by uid
 * @returns in the order of the job's operators, then operators that only the snapshot has
 */
export function stateChanges(
  manifest: Manifest,
  targets: Readonly<Record<string, RestoreTarget>>,
  { allowDroppedState }: { readonly allowDroppedState: boolean },
): StateChange[] {
  const changes: StateChange[] = [];
  for (const [uid, target] of Object.entries(targets)) {
    const old = manifest.operators[uid];
    if (old !== undefined) {
      const hasRuns = hasKeyedState(old);
      if (hasRuns && old.maxParallelism !== target.maxParallelism) {
        changes.push(refusedOperator(uid, maxParallelismError(uid, old, target)));
      }
      changes.push(...tableChanges(uid, hasRuns ? storedTables(old) : [], target));
      changes.push(...listChanges(uid, old, target));
    } else {
      changes.push(...tableChanges(uid, [], target));
      changes.push(...target.lists.map((list) => newList(uid, list)));
    }
  }
  const missing = missingOperators(manifest, targets);
  changes.push(...missing.map((uid) => refusedOperator(uid, missingError(missing))));
  return allowDroppedState ? changes.map(allowDropped) : changes;
}

/** The tables that an operator's snapshot holds, over all subtasks, with all their versions. */
export function storedTables(operator: OperatorManifest): TableDescription[] {
  return rememberedTables(operator).filter(({ isDropped }) => isDropped !== true);
}

/** The same with those that were dropped: of them runs may still hold entries that do not count. */
export function rememberedTables(operator: OperatorManifest): TableDescription[] {
  const tables = new Map<string, TableDescription>();
  for (const { keyed } of operator.subtasks) {
    for (const table of keyed?.tables ?? []) {
      const known = tables.get(table.name);
      tables.set(table.name, known === undefined ? table : united(known, table));
    }
  }
  return [...tables.values()];
}

/** All versions that entries of a table may have, ascending. */
export function versionsOf({ version, versions }: TableDescription): readonly number[] {
  return [...new Set([...(versions ?? []), version])].sort((a, b) => a - b);
}

function united(a: TableDescription, b: TableDescription): TableDescription {
  const newer = b.version > a.version ? b : a;
  const versions = [...new Set([...versionsOf(a), ...versionsOf(b)])].sort((x, y) => x - y);
  return { ...newer, versions };
}

function hasKeyedState({ subtasks }: OperatorManifest): boolean {
  return subtasks.some(({ keyed }) => (keyed?.runs.length ?? 0) > 0);
}

function tableChanges(
  operatorUid: string,
  stored: readonly TableDescription[],
  target: RestoreTarget,
): StateChange[] {
  const changes = target.tables.map((now): StateChange => {
    const old = stored.find(({ name }) => name === now.name);
    const { name: state, kind, version, isInternal = false } = now;
    const common = { operatorUid, state, kind, version, isInternal, error: null };
    if (old === undefined) return { ...common, change: 'new', storedVersions: [] };
    const storedVersions = versionsOf(old);
    const problem = problemOf(old, storedVersions, now);
    if (problem !== null) {
      const error = incompatibleError(operatorUid, old.name, problem);
      return { ...common, change: 'refused', storedVersions, error };
    }
    const isOlder = storedVersions[0]! < version;
    return { ...common, change: isOlder ? 'migrated' : 'kept', storedVersions };
  });
  for (const old of stored) {
    if (target.tables.some(({ name }) => name === old.name)) continue;
    changes.push({
      operatorUid,
      state: old.name,
      kind: old.kind,
      change: 'refused',
      storedVersions: versionsOf(old),
      version: null,
      isInternal: false,
      error: tableMissingError(operatorUid, old.name),
    });
  }
  return changes;
}

function problemOf(
  old: TableDescription,
  stored: readonly number[],
  now: TargetTable,
): string | null {
  if (old.kind !== now.kind) return `it was of kind ${old.kind} and is of kind ${now.kind}`;
  const newest = stored.at(-1)!;
  if (newest > now.version) {
    return `it was written by version ${newest} and the job has version ${now.version}`;
  }
  const older = stored.filter((version) => version < now.version);
  if (older.length === 0 || now.canMigrate) return null;
  const versions = older.length === 1 ? `version ${older[0]}` : `versions ${older.join(', ')}`;
  return `entries of ${versions} are stored, the job has version ${now.version} and no migrate`;
}

function listChanges(
  operatorUid: string,
  old: OperatorManifest,
  target: RestoreTarget,
): StateChange[] {
  const stored = new Map<string, number>();
  for (const { name, elements } of old.subtasks.flatMap((subtask) => subtask.lists)) {
    stored.set(name, (stored.get(name) ?? 0) + elements.length);
  }
  const changes = target.lists.map((list): StateChange => {
    const begins = newList(operatorUid, list);
    return stored.has(list.name) ? { ...begins, change: 'kept' } : begins;
  });
  for (const [state, elements] of stored) {
    if (elements === 0 || target.lists.some(({ name }) => name === state)) continue;
    changes.push({
      operatorUid,
      state,
      kind: 'operator list',
      change: 'refused',
      storedVersions: [],
      version: null,
      isInternal: false,
      error: tableMissingError(operatorUid, state),
    });
  }
  return changes;
}

function newList(operatorUid: string, list: RestoreTarget['lists'][number]): StateChange {
  return {
    operatorUid,
    state: list.name,
    kind: 'operator list',
    change: 'new',
    storedVersions: [],
    version: null,
    isInternal: list.isInternal ?? false,
    error: null,
  };
}

function missingOperators(
  manifest: Manifest,
  targets: Readonly<Record<string, RestoreTarget>>,
): string[] {
  const withState = Object.entries(manifest.operators)
    .filter(([, operator]) => hasKeyedState(operator) || hasLists(operator))
    .map(([uid]) => uid);
  const all = new Set([...withState, ...Object.keys(manifest.enumerators)]);
  return [...all].filter((uid) => !Object.hasOwn(targets, uid)).sort();
}

function hasLists({ subtasks }: OperatorManifest): boolean {
  return subtasks.some(({ lists }) => lists.some(({ elements }) => elements.length > 0));
}

function refusedOperator(operatorUid: string, error: StreamError): StateChange {
  return {
    operatorUid,
    state: null,
    kind: null,
    change: 'refused',
    storedVersions: [],
    version: null,
    isInternal: false,
    error,
  };
}

function allowDropped(change: StateChange): StateChange {
  const { error } = change;
  const canDrop =
    error instanceof StateOperatorMissingError || error instanceof StateTableMissingError;
  return canDrop ? { ...change, change: 'dropped', error: null } : change;
}

function incompatibleError(operatorUid: string, table: string, problem: string): StreamError {
  return new StateTableIncompatibleError(
    `state "${table}" of operator "${operatorUid}" cannot be restored: ${problem}`,
    { operatorUid, table, problem },
    { hint: problem.endsWith('migrate') ? MIGRATE_HINT : RENAME_HINT },
  );
}

const MIGRATE_HINT =
  'Give the state a `migrate` for these versions, or another name to begin anew.';
const RENAME_HINT = 'Give the state another name to begin anew, or run the version that wrote it.';

function missingError(operatorUids: readonly string[]): StreamError {
  const named = operatorUids.map((uid) => `"${uid}"`).join(', ');
  return new StateOperatorMissingError(
    `the snapshot holds state of ${named}, which the job does not have`,
    { operatorUids },
    { hint: 'Give the operator its old id again, or drop its state with --allow-dropped-state.' },
  );
}

function tableMissingError(operatorUid: string, table: string): StreamError {
  return new StateTableMissingError(
    `the snapshot holds state "${table}" of operator "${operatorUid}", which does not declare it`,
    { operatorUid, table },
    { hint: 'Declare it again, or drop it with --allow-dropped-state.' },
  );
}

function maxParallelismError(
  operatorUid: string,
  old: OperatorManifest,
  target: RestoreTarget,
): StreamError {
  return new MaxParallelismChangedError(
    `operator "${operatorUid}" had maxParallelism ${old.maxParallelism} ` +
      `and cannot be restored with ${target.maxParallelism}`,
    { operatorUid, snapshot: old.maxParallelism, job: target.maxParallelism },
    { hint: `Set maxParallelism to ${old.maxParallelism}: it is part of where a key lives.` },
  );
}
