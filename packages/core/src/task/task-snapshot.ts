import type { CheckpointId, SnapshotKind } from '../element/element.ts';
import type { FrozenState, KeyedStateStore } from '../state/keyed-state-store.ts';
import type { OperatorListSnapshot, OperatorSnapshot, SubtaskSnapshot } from '../state/snapshot.ts';
import type { OperatorRuntime } from './task-chain.ts';

/** One operator's part of a frozen task. */
export interface FrozenOperator {
  readonly uid: string;
  readonly keyed: { readonly store: KeyedStateStore; readonly frozen: FrozenState } | null;
  readonly lists: readonly OperatorListSnapshot[];
  /** Lists that are known once something is durable (a sink's files). */
  readonly persisting: Promise<readonly OperatorListSnapshot[]> | null;
  discard(): void;
}

/** All operators of a frozen task. */
export type FrozenOperators = readonly FrozenOperator[];

/** The synchronous part of a snapshot, in the turn of the barrier. Cost: O(operators, lists). */
export function freezeOperators(
  runtimes: readonly OperatorRuntime[],
  checkpointId: CheckpointId,
): FrozenOperators {
  return runtimes.map((runtime) => {
    const { operator, node } = runtime;
    operator.snapshot?.(checkpointId);
    const persisting = operator.persist?.(checkpointId) ?? null;
    // Its failure is reported by `persistTask`; if that is never called, by nobody.
    persisting?.catch(() => {});
    const store = runtime.keyedStore();
    const keyed = store === null ? null : { store, frozen: store.freeze() };
    return {
      uid: node.uid,
      keyed,
      lists: runtime.operatorStateSnapshot(),
      persisting,
      discard: () => keyed?.store.discard(keyed.frozen),
    };
  });
}

/** The asynchronous part: encodes and writes, between other turns. */
export async function persistTask(
  operators: FrozenOperators,
  kind: SnapshotKind,
  finished: boolean,
): Promise<SubtaskSnapshot> {
  const entries = await Promise.all(
    operators.map(async (one): Promise<[string, OperatorSnapshot]> => {
      const [keyed, late] = await Promise.all([
        one.keyed === null ? null : one.keyed.store.persist(one.keyed.frozen, kind),
        one.persisting ?? [],
      ]);
      const lateNames = new Set(late.map((list) => list.name));
      const lists = [...one.lists.filter((list) => !lateNames.has(list.name)), ...late];
      return [one.uid, { keyed, lists }];
    }),
  );
  // Operators without state are named too: whether they had finished must not be forgotten.
  return { operators: Object.fromEntries(entries), finished };
}
