import type { Key } from '../../element/key.ts';
import type { SideOutputTag } from '../../function/process-function.ts';
import type { TriggerContext, Window, WindowContext } from '../../function/window.ts';
import type { StateDescriptors, StateHandles } from '../../state/descriptors.ts';
import type { OperatorContext } from '../operator/operator.ts';
import type { TimerService } from '../timer/timer-service.ts';
import type { WindowCell } from './window-cells.ts';
import { type CurrentCell, PerWindowStateError } from './window-state.ts';
import { GLOBAL_WINDOW } from './window-assignment.ts';

/** Sees the watermark that the operator handles now. */
export interface WatermarkView {
  readonly watermarkMs: number;
}

const NO_STATE = {} as StateHandles<StateDescriptors>;

/** What a window function and an evictor see: one object per operator, for all its windows. */
export class FiringContext implements WindowContext<Key, StateDescriptors, unknown> {
  key: Key = 0;
  window: Window = GLOBAL_WINDOW;
  state: StateHandles<StateDescriptors> = NO_STATE;
  /** null: windows that merge have none. */
  handles: StateHandles<StateDescriptors> | null = NO_STATE;
  readonly #operator: OperatorContext;
  readonly #time: WatermarkView;

  constructor(operator: OperatorContext, time: WatermarkView) {
    this.#operator = operator;
    this.#time = time;
  }

  get windowState(): StateHandles<StateDescriptors> {
    if (this.handles === null) throw new PerWindowStateError();
    return this.handles;
  }

  get watermarkMs(): number {
    return this.#time.watermarkMs;
  }

  get subtaskIndex(): number {
    return this.#operator.subtaskIndex;
  }

  get parallelism(): number {
    return this.#operator.parallelism;
  }

  // Arrow functions: users take them off the context, as in `onWindow(values, { emit })`.

  readonly now = (): number => this.#operator.environment.clock.nowMs();

  readonly count = (name: string, by = 1): void => {
    this.#operator.metrics.counter(name).inc(by);
  };

  /** Stamped with the window's greatest timestamp unless told otherwise. */
  readonly emit = (value: unknown, timestampMs: number = this.window.endMs - 1): void => {
    this.#operator.output.emit(value, timestampMs);
  };

  readonly side = <T>(
    tag: SideOutputTag<T>,
    value: T,
    timestampMs: number = this.window.endMs - 1,
  ): void => {
    this.#operator.sideOutput(tag.sideOutput).emit(value, timestampMs);
  };
}

/** What a trigger sees; acts on the current cell. */
export class CellTriggerContext implements TriggerContext, CurrentCell {
  cell: WindowCell;
  state: StateHandles<StateDescriptors> = NO_STATE;
  readonly #timers: TimerService;
  readonly now: () => number;
  readonly #namespaceOf: (cell: WindowCell) => Key;

  constructor(
    cell: WindowCell,
    timers: TimerService,
    now: () => number,
    namespaceOf: (cell: WindowCell) => Key,
  ) {
    this.cell = cell;
    this.#timers = timers;
    this.now = now;
    this.#namespaceOf = namespaceOf;
  }

  get watermarkMs(): number {
    return this.#timers.watermarkMs;
  }

  readonly registerEventTime = (timeMs: number): void => {
    if (!remember(this.cell.eventTimers, timeMs)) return;
    this.#timers.registerEventTime(timeMs, this.#namespaceOf(this.cell));
  };

  readonly registerProcessingTime = (timeMs: number): void => {
    if (!remember(this.cell.processingTimers, timeMs)) return;
    this.#timers.registerProcessingTime(timeMs, this.#namespaceOf(this.cell));
  };

  readonly deleteEventTime = (timeMs: number): void => {
    forget(this.cell.eventTimers, timeMs);
    this.#timers.deleteEventTime(timeMs, this.#namespaceOf(this.cell));
  };

  readonly deleteProcessingTime = (timeMs: number): void => {
    forget(this.cell.processingTimers, timeMs);
    this.#timers.deleteProcessingTime(timeMs, this.#namespaceOf(this.cell));
  };

  /** A timer of the current cell has gone off. */
  onTimerGone(isEventTime: boolean, timeMs: number): void {
    forget(isEventTime ? this.cell.eventTimers : this.cell.processingTimers, timeMs);
  }
}

/** Two: the window's end and its cleanup, which every record registers. */
const REMEMBERED_TIMERS = 2;

// False: it is registered already.
function remember(timers: number[], timeMs: number): boolean {
  if (timers.includes(timeMs)) return false;
  if (timers.length < REMEMBERED_TIMERS) timers.push(timeMs);
  return true;
}

function forget(timers: number[], timeMs: number): void {
  const at = timers.indexOf(timeMs);
  if (at >= 0) timers.splice(at, 1);
}
