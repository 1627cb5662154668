import { type KeyGroupRange, keyGroupRangeOf } from '../element/key-group.ts';
import type {
  Json,
  OperatorListSnapshot,
  OperatorRestore,
  Redistribution,
  RunReference,
  TableDescription,
} from '../state/snapshot.ts';
import {
  MaxParallelismChangedError,
  StateOperatorMissingError,
  StateTableIncompatibleError,
  StateTableMissingError,
} from './checkpoint-errors.ts';
import type { Manifest, OperatorManifest } from './manifest.ts';
import { redistribute } from './redistribute.ts';

/** An operator of the job that is to be restored. */
export interface RestoreTarget {
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** Keyed tables that it will declare. */
  readonly tables: readonly TableDescription[];
  /** Lists that it will declare. */
  readonly lists: readonly { readonly name: string; readonly redistribution: Redistribution }[];
}

/** What one operator begins with. */
export interface OperatorRestorePlan {
  /** By new subtask index. */
  readonly subtasks: readonly OperatorRestore[];
  /** All of its subtasks had handled the end of their input. */
  readonly isFinished: boolean;
}

/** What a job begins with. */
export interface RestorePlan {
  /** By uid; operators that the manifest does not know are missing: they begin empty. */
  readonly operators: ReadonlyMap<string, OperatorRestorePlan>;
  /** Of enumerators (tagged JSON), by uid of the source. */
  readonly enumerators: Readonly<Record<string, Json>>;
  /** In words: what `allowDroppedState` left behind. */
  readonly dropped: readonly string[];
}

/**
 * Decides what every operator subtask gets of a snapshot, whatever the parallelism was and is. All
 * that can be known to go wrong goes wrong here, before the job starts. Pure.
 *
 * S1. A key group of the snapshot goes to exactly the subtask that owns it now.
 * S2. Nothing of the snapshot is left out, but what `allowDroppedState` allows.
 *
 * @param targets operators of the job, by uid
 * @throws StateOperatorMissingError, StateTableMissingError, StateTableIncompatibleError,
 *   MaxParallelismChangedError
 */
export function planRestore(
  manifest: Manifest,
  targets: Readonly<Record<string, RestoreTarget>>,
  options: { readonly allowDroppedState: boolean },
): RestorePlan {
  const dropped: string[] = [];
  const missing = missingOperators(manifest, targets);
  if (missing.length > 0 && !options.allowDroppedState) failMissing(missing);
  dropped.push(...missing.map((uid) => `all state of operator "${uid}"`));
  const operators = new Map<string, OperatorRestorePlan>();
  for (const [uid, target] of Object.entries(targets)) {
    const old = manifest.operators[uid];
    if (old === undefined) continue;
    dropped.push(...checkState(uid, old, target, options.allowDroppedState));
    operators.set(uid, planOperator(old, target));
  }
  const enumerators = Object.entries(manifest.enumerators).filter(([uid]) => uid in targets);
  return { operators, enumerators: Object.fromEntries(enumerators), dropped };
}

function planOperator(old: OperatorManifest, target: RestoreTarget): OperatorRestorePlan {
  const listsBySubtask = planLists(old, target);
  const hasKeyed = old.subtasks.some(({ keyed }) => keyed !== null);
  const subtasks = Array.from({ length: target.parallelism }, (_, index): OperatorRestore => {
    const range = keyGroupRangeOf(index, target.maxParallelism, target.parallelism);
    const keyed = hasKeyed ? { tables: tablesOf(old), runs: runsFor(old, range) } : null;
    return { keyed, lists: listsBySubtask.map((bySubtask) => bySubtask[index]!) };
  });
  return { subtasks, isFinished: old.subtasks.every(({ finished }) => finished) };
}

// S1. Old subtasks share no key group, so the order between them is free; within one it is kept:
// newest first.
function runsFor(old: OperatorManifest, range: KeyGroupRange): RunReference[] {
  return old.subtasks
    .flatMap(({ keyed }) => keyed?.runs ?? [])
    .filter(({ keyGroups }) => keyGroups.first <= range.last && keyGroups.last >= range.first);
}

function tablesOf(old: OperatorManifest): TableDescription[] {
  const tables = new Map<string, TableDescription>();
  for (const { keyed } of old.subtasks) {
    for (const table of keyed?.tables ?? []) {
      const known = tables.get(table.name);
      if (known === undefined || known.version < table.version) tables.set(table.name, table);
    }
  }
  return [...tables.values()];
}

function planLists(old: OperatorManifest, target: RestoreTarget): OperatorListSnapshot[][] {
  const names = new Map<string, Redistribution>();
  for (const { lists } of old.subtasks) {
    for (const { name, redistribution } of lists) names.set(name, redistribution);
  }
  const planned: OperatorListSnapshot[][] = [];
  for (const [name, was] of names) {
    const redistribution = target.lists.find((list) => list.name === name)?.redistribution ?? was;
    const elements = old.subtasks.map(
      ({ lists }) => lists.find((list) => list.name === name)?.elements ?? [],
    );
    const dealt = redistribute(redistribution, elements, target.parallelism);
    planned.push(dealt.map((share) => ({ name, redistribution, elements: share })));
  }
  return planned;
}

function missingOperators(
  manifest: Manifest,
  targets: Readonly<Record<string, RestoreTarget>>,
): string[] {
  const withState = Object.entries(manifest.operators)
    .filter(([, operator]) => holdsState(operator))
    .map(([uid]) => uid);
  const all = new Set([...withState, ...Object.keys(manifest.enumerators)]);
  return [...all].filter((uid) => !Object.hasOwn(targets, uid)).sort();
}

function holdsState(operator: OperatorManifest): boolean {
  return operator.subtasks.some(
    ({ keyed, lists }) =>
      (keyed?.runs.length ?? 0) > 0 || lists.some(({ elements }) => elements.length > 0),
  );
}

/** @returns in words: what is dropped */
function checkState(
  uid: string,
  old: OperatorManifest,
  target: RestoreTarget,
  allowDropped: boolean,
): string[] {
  const dropped: string[] = [];
  const hasRuns = old.subtasks.some(({ keyed }) => (keyed?.runs.length ?? 0) > 0);
  if (hasRuns && old.maxParallelism !== target.maxParallelism) failMax(uid, old, target);
  for (const table of hasRuns ? tablesOf(old) : []) {
    const now = target.tables.find(({ name }) => name === table.name);
    if (now !== undefined) checkTable(uid, table, now);
    else if (allowDropped) dropped.push(`table "${table.name}" of operator "${uid}"`);
    else failTable(uid, table.name);
  }
  const lists = old.subtasks.flatMap((subtask) => subtask.lists);
  for (const name of new Set(lists.filter((l) => l.elements.length > 0).map((l) => l.name))) {
    if (target.lists.some((list) => list.name === name)) continue;
    if (!allowDropped) failTable(uid, name);
    dropped.push(`list "${name}" of operator "${uid}"`);
  }
  return dropped;
}

function checkTable(operatorUid: string, old: TableDescription, now: TableDescription): void {
  const problem =
    old.kind !== now.kind
      ? `it was of kind ${old.kind} and is of kind ${now.kind}`
      : old.version > now.version
        ? `it was written by version ${old.version} and the job has version ${now.version}`
        : null;
  if (problem === null) return;
  throw new StateTableIncompatibleError(
    `state "${old.name}" of operator "${operatorUid}" cannot be restored: ${problem}`,
    { operatorUid, table: old.name, problem },
    { hint: 'Give the state another name to begin anew, or run the version that wrote it.' },
  );
}

function failMissing(operatorUids: readonly string[]): never {
  const named = operatorUids.map((uid) => `"${uid}"`).join(', ');
  throw new StateOperatorMissingError(
    `the snapshot holds state of ${named}, which the job does not have`,
    { operatorUids },
    { hint: 'Give the operator its old id again, or drop its state with --allow-dropped-state.' },
  );
}

function failTable(operatorUid: string, table: string): never {
  throw new StateTableMissingError(
    `the snapshot holds state "${table}" of operator "${operatorUid}", which does not declare it`,
    { operatorUid, table },
    { hint: 'Declare it again, or drop it with --allow-dropped-state.' },
  );
}

function failMax(operatorUid: string, old: OperatorManifest, target: RestoreTarget): never {
  throw new MaxParallelismChangedError(
    `operator "${operatorUid}" had maxParallelism ${old.maxParallelism} ` +
      `and cannot be restored with ${target.maxParallelism}`,
    { operatorUid, snapshot: old.maxParallelism, job: target.maxParallelism },
    { hint: `Set maxParallelism to ${old.maxParallelism}: it is part of where a key lives.` },
  );
}
