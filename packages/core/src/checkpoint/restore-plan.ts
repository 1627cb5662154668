import { type KeyGroupRange, keyGroupRangeOf } from '../element/key-group.ts';
import type {
  Json,
  OperatorListSnapshot,
  OperatorRestore,
  Redistribution,
  RunReference,
} from '../state/snapshot.ts';
import type { Manifest, OperatorManifest } from './manifest.ts';
import { redistribute } from './redistribute.ts';
import {
  rememberedTables,
  type RestoreTarget,
  type StateChange,
  stateChanges,
} from './state-changes.ts';

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
  /** What becomes of each state; none is refused. */
  readonly changes: readonly StateChange[];
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
 *   MaxParallelismChangedError: the first that `stateChanges` found
 */
export function planRestore(
  manifest: Manifest,
  targets: Readonly<Record<string, RestoreTarget>>,
  options: { readonly allowDroppedState: boolean },
): RestorePlan {
  const changes = stateChanges(manifest, targets, options);
  for (const { error } of changes) if (error !== null) throw error;
  const operators = new Map<string, OperatorRestorePlan>();
  for (const [uid, target] of Object.entries(targets)) {
    const old = manifest.operators[uid];
    if (old !== undefined) operators.set(uid, planOperator(old, target));
  }
  const enumerators = Object.entries(manifest.enumerators).filter(([uid]) => uid in targets);
  return { operators, enumerators: Object.fromEntries(enumerators), changes };
}

function planOperator(old: OperatorManifest, target: RestoreTarget): OperatorRestorePlan {
  const listsBySubtask = planLists(old, target);
  const hasKeyed = old.subtasks.some(({ keyed }) => keyed !== null);
  const subtasks = Array.from({ length: target.parallelism }, (_, index): OperatorRestore => {
    const range = keyGroupRangeOf(index, target.maxParallelism, target.parallelism);
    const keyed = hasKeyed ? { tables: rememberedTables(old), runs: runsFor(old, range) } : null;
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
