import type { Trigger, WindowAssigner } from '../function/window.ts';
import type { OperatorSpec, WindowSpec } from './operator-spec.ts';

type WindowJoin = OperatorSpec & { readonly kind: 'windowJoin' };

/** A record of the left (0) or right (1) input, as the window of a join keeps it. */
export type SidedRecord = readonly [side: 0 | 1, value: unknown];

/**
 * The window that a window join is: over the union of both inputs, each record with its side.
 *
 * Join: all pairs, for each left record in order those with the right ones. As the window's content
 * is one list, a late record of either side fires all of them again.
 */
export function windowSpecOfJoin(join: WindowJoin): WindowSpec {
  const { keyOf1, keyOf2, body } = join;
  return {
    keyOf: (record) => (sideOf(record) === 0 ? keyOf1(recordOf(record)) : keyOf2(recordOf(record))),
    assigner: sidedAssigner(join.assigner),
    trigger: join.trigger === null ? null : sidedTrigger(join.trigger),
    evictor: null,
    allowedLatenessMs: join.allowedLatenessMs,
    lateOutput: null,
    body: { kind: 'collect' },
    windowFunction: {
      onWindow(records, context) {
        const left: unknown[] = [];
        const right: unknown[] = [];
        for (const record of records) {
          (sideOf(record) === 0 ? left : right).push(recordOf(record));
        }
        if (body.kind === 'coGroup') return body.coGroup.onWindow(left, right, context);
        for (const one of left) {
          for (const other of right) context.emit(body.join(one, other));
        }
      },
    },
  };
}

function sideOf(record: unknown): 0 | 1 {
  return (record as SidedRecord)[0];
}

function recordOf(record: unknown): unknown {
  return (record as SidedRecord)[1];
}

function sidedAssigner(assigner: WindowAssigner): WindowAssigner {
  if (assigner.kind !== 'dynamicSession') return assigner;
  return { ...assigner, gapMs: (record) => assigner.gapMs(recordOf(record)) };
}

function sidedTrigger(trigger: Trigger): Trigger {
  return {
    name: trigger.name,
    ...(trigger.state === undefined ? {} : { state: trigger.state }),
    onRecord: (record, timestampMs, window, context) =>
      trigger.onRecord(recordOf(record), timestampMs, window, context),
    onEventTime: (timeMs, window, context) => trigger.onEventTime(timeMs, window, context),
    onProcessingTime: (timeMs, window, context) =>
      trigger.onProcessingTime(timeMs, window, context),
    ...(trigger.onMerge === undefined
      ? {}
      : { onMerge: (window, context) => trigger.onMerge?.(window, context) }),
    clear: (window, context) => trigger.clear(window, context),
  };
}
