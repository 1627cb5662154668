import { MAX_WATERMARK, hasTimestamp } from '../element/time.ts';
import { type ReducingState, reducing } from '../state/descriptors.ts';
import { checkDuration } from './window-arguments.ts';
import type { Trigger, TriggerContext, Window } from './window.ts';

// The continuous triggers keep one time per window: when they fire next. Merged sessions take the
// earlier one, so that no firing is lost by a merge.
const STATE = { fireTime: reducing<number>((a, b) => Math.min(a, b)) };

function fireTimeOf(context: TriggerContext): ReducingState<number> {
  return context.state.fireTime as ReducingState<number>;
}

/** See `triggers.continuousEventTime`. */
export function continuousEventTime(intervalMs: number): Trigger {
  checkDuration('triggers.continuousEventTime', 'intervalMs', intervalMs);
  return {
    name: `continuousEventTime(${intervalMs})`,
    state: STATE,
    onRecord(_value, timestampMs, window, context) {
      if (window.endMs - 1 <= context.watermarkMs) return 'fire';
      context.registerEventTime(window.endMs - 1);
      const fireTime = fireTimeOf(context);
      if (fireTime.get() === undefined && hasTimestamp(timestampMs)) {
        const next = nextOnGrid(timestampMs, intervalMs, window);
        fireTime.add(next);
        context.registerEventTime(next);
      }
      return 'continue';
    },
    onEventTime(timeMs, window, context) {
      if (timeMs === window.endMs - 1) return 'fire';
      const fireTime = fireTimeOf(context);
      if (fireTime.get() !== timeMs) return 'continue';
      fireTime.clear();
      const endless = window.endMs === MAX_WATERMARK && context.watermarkMs === MAX_WATERMARK;
      // At the end of input a window without end would fire at every multiple, for ever.
      const next = endless ? MAX_WATERMARK : Math.min(timeMs + intervalMs, window.endMs - 1);
      fireTime.add(next);
      context.registerEventTime(next);
      return 'fire';
    },
    onProcessingTime: () => 'continue',
    onMerge(_window, context) {
      const next = fireTimeOf(context).get();
      if (next !== undefined) context.registerEventTime(next);
    },
    clear(window, context) {
      context.deleteEventTime(window.endMs - 1);
      const next = fireTimeOf(context).get();
      if (next !== undefined) context.deleteEventTime(next);
      fireTimeOf(context).clear();
    },
  };
}

/** See `triggers.continuousProcessingTime`. */
export function continuousProcessingTime(intervalMs: number): Trigger {
  checkDuration('triggers.continuousProcessingTime', 'intervalMs', intervalMs);
  return {
    name: `continuousProcessingTime(${intervalMs})`,
    state: STATE,
    onRecord(_value, _timestampMs, window, context) {
      const fireTime = fireTimeOf(context);
      if (fireTime.get() === undefined) {
        const next = nextOnGrid(context.now(), intervalMs, window);
        fireTime.add(next);
        context.registerProcessingTime(next);
      }
      return 'continue';
    },
    onEventTime: () => 'continue',
    onProcessingTime(timeMs, window, context) {
      const fireTime = fireTimeOf(context);
      if (fireTime.get() !== timeMs) return 'continue';
      fireTime.clear();
      const next = Math.min(timeMs + intervalMs, window.endMs - 1);
      // A window that ended on this clock would register its last time again and again.
      if (next > timeMs) {
        fireTime.add(next);
        context.registerProcessingTime(next);
      }
      return 'fire';
    },
    onMerge(_window, context) {
      const next = fireTimeOf(context).get();
      if (next !== undefined) context.registerProcessingTime(next);
    },
    clear(_window, context) {
      const next = fireTimeOf(context).get();
      if (next !== undefined) context.deleteProcessingTime(next);
      fireTimeOf(context).clear();
    },
  };
}

// The first multiple of the interval behind `timeMs`, or the end of the window.
function nextOnGrid(timeMs: number, intervalMs: number, window: Window): number {
  return Math.min(timeMs - (timeMs % intervalMs) + intervalMs, window.endMs - 1);
}
