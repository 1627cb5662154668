import type { Key } from '../../element/key.ts';
import type { TimerContext, Timers } from '../../function/process-function.ts';
import type { StateDescriptors, StateHandles } from '../../state/descriptors.ts';
import type { TimerService } from '../timer/timer-service.ts';
import { RecordContext } from './function-context.ts';
import type { OperatorContext } from './operator.ts';

/** The context of functions on keyed streams, for records and for timers. See `RecordContext`. */
export class KeyedRecordContext
  extends RecordContext
  implements TimerContext<Key, StateDescriptors, unknown>
{
  /** Set by the operator before each call, together with the store's current key. */
  key: Key = '';
  /** Of the timer in hand; meaningless for records. */
  domain: 'event' | 'processing' = 'event';
  readonly state: StateHandles<StateDescriptors>;
  readonly timers: Timers;

  constructor(
    context: OperatorContext,
    state: StateHandles<StateDescriptors>,
    timers: TimerService,
  ) {
    super(context);
    this.state = state;
    // A namespace is no business of user functions: only one argument is passed on.
    this.timers = {
      registerEventTime: (timeMs) => timers.registerEventTime(timeMs),
      registerProcessingTime: (timeMs) => timers.registerProcessingTime(timeMs),
      deleteEventTime: (timeMs) => timers.deleteEventTime(timeMs),
      deleteProcessingTime: (timeMs) => timers.deleteProcessingTime(timeMs),
    };
  }
}
