import type { CheckpointRequest, CoordinatorState } from './coordinator-state.ts';

/** More requests than this are refused (Flink's number): somebody asks without ever waiting. */
export const QUEUED_COUNT_MAX = 1_000;

/** What may happen to the first request of the queue. */
export type QueueDecision =
  | { readonly kind: 'trigger' }
  | { readonly kind: 'wait' }
  /** Too early after the last one: the timer asks again at that time. */
  | { readonly kind: 'drop'; readonly againAtMs: number };

// Urgency: stops, savepoints, checkpoints asked for by a caller, the timer's; then age.
function urgency(request: CheckpointRequest): number {
  if (request.stop) return 0;
  if (request.snapshotKind === 'savepoint') return 1;
  return request.requestId === null ? 3 : 2;
}

/**
 * Puts a request behind all that are at least as urgent.
 *
 * @returns the new queue, and the request that found no room: the least urgent one
 */
export function enqueue(
  queue: readonly CheckpointRequest[],
  request: CheckpointRequest,
): { readonly queue: readonly CheckpointRequest[]; readonly dropped: CheckpointRequest | null } {
  const behind = queue.findIndex((other) => urgency(other) > urgency(request));
  const at = behind < 0 ? queue.length : behind;
  const longer = [...queue.slice(0, at), request, ...queue.slice(at)];
  if (longer.length <= QUEUED_COUNT_MAX) return { queue: longer, dropped: null };
  return { queue: longer.slice(0, -1), dropped: longer.at(-1)! };
}

/** Whether the first request may be triggered now. Precondition: there is one. */
export function mayTrigger(state: CoordinatorState, nowMs: number): QueueDecision {
  const first = state.queue[0]!;
  // A savepoint waits for nothing: somebody wants it now, and it holds nobody up.
  if (first.stop || first.snapshotKind === 'savepoint') return { kind: 'trigger' };
  if (state.pending.length >= state.options.maxConcurrent) return { kind: 'wait' };
  const againAtMs = state.lastCompletedAtMs + state.options.minPauseMs;
  if (first.requestId === null && againAtMs > nowMs) return { kind: 'drop', againAtMs };
  return { kind: 'trigger' };
}
