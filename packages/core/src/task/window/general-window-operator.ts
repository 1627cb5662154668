import { assert } from '../../base/assert.ts';
import type { Key } from '../../element/key.ts';
import { defaultTrigger, isMerging } from '../../function/window-assigners.ts';
import { firesOf, purgesOf } from '../../function/triggers.ts';
import type { Trigger, TriggerResult, Window } from '../../function/window.ts';
import type { WindowSpec } from '../../graph/operator-spec.ts';
import type { SubKey } from '../../state/entry-table.ts';
import type { KeyedStateStore } from '../../state/keyed-state-store.ts';
import type { Operator, OperatorContext } from '../operator/operator.ts';
import { openTimerService } from '../timer/open-timer-service.ts';
import type { TimerService } from '../timer/timer-service.ts';
import { LateRecords } from './late-records.ts';
import { ResultEmitter } from './result-emitter.ts';
import { SessionCells } from './session-cells.ts';
import { assignWindows, cleanupTime, GLOBAL_WINDOW } from './window-assignment.ts';
import { WindowCell } from './window-cells.ts';
import { CellTriggerContext, FiringContext } from './window-contexts.ts';
import { foldOf } from './window-fold.ts';
import { WindowContents } from './window-contents.ts';
import { WindowGridState } from './window-grid-state.ts';
import { WindowStorage } from './window-storage.ts';

// Windows of any assigner, trigger and evictor, as Flink's WindowOperator does them.
//
//   record -> windows -> (sessions: merged window) -> late? -> contents.add -> trigger.onRecord
//   timer  -> window  -------------------------------------------------------> trigger.on..Time
//                                   trigger says: fire -> emit contents; purge -> drop contents
//   cleanup timer (greatest timestamp + lateness) -> contents, trigger and window state are gone
//
// G1. A window is late when its cleanup time <= watermark. A record is late if all its windows
//     refuse it and timestamp + lateness <= watermark.
// G2. A window with contents has its cleanup timer, unless the cleanup time is Infinity.
// G3. Purging drops contents only: trigger state and timers of the window stay.
// G4. A timer of a session that has been merged away changes nothing.
// G5. A cell without entries is not kept: it is made anew when a record or timer needs it.

/** The operator for every window that has no faster one; see `createWindowOperator`. */
export class GeneralWindowOperator implements Operator {
  readonly #spec: WindowSpec;
  readonly #trigger: Trigger;
  readonly #isEventTime: boolean;
  readonly #isMerging: boolean;
  #store!: KeyedStateStore;
  #timers!: TimerService;
  #storage!: WindowStorage;
  #contents!: WindowContents;
  #sessions!: SessionCells;
  #late!: LateRecords;
  /** null: windows that are not aligned carry their bounds. */
  #gridState: WindowGridState | null = null;
  #context!: CellTriggerContext;
  #now!: () => number;
  #shouldYield!: () => boolean;

  /** @param spec accepted by `checkWindow` */
  constructor(spec: WindowSpec) {
    const trigger = spec.trigger ?? defaultTrigger(spec.assigner);
    assert(trigger !== null, 'checkWindow refuses a global window without trigger');
    this.#spec = spec;
    this.#trigger = trigger;
    this.#isEventTime = spec.assigner.kind !== 'global' && spec.assigner.time === 'event';
    this.#isMerging = isMerging(spec.assigner);
  }

  open(context: OperatorContext): void {
    const { keyed: store, environment } = context;
    this.#store = store;
    this.#now = () => environment.clock.nowMs();
    this.#shouldYield = () => context.shouldYield();
    this.#timers = openTimerService(store, 'window-timers', context);
    this.#late = new LateRecords(this.#spec, context);
    const { assigner } = this.#spec;
    if (assigner.kind === 'tumbling' || assigner.kind === 'sliding') {
      this.#gridState = new WindowGridState(assigner, context);
    }
    this.#storage = new WindowStorage(this.#spec, this.#trigger, store);
    const merge = foldOf(this.#spec.body)?.merge ?? neverMerged;
    this.#sessions = new SessionCells(this.#storage, this.#trigger, merge);
    const nobody = new WindowCell(0, 0, 0, GLOBAL_WINDOW);
    const namespaceOf = (cell: WindowCell): Key => this.#namespaceOf(cell);
    this.#context = new CellTriggerContext(nobody, this.#timers, this.#now, namespaceOf);
    this.#context.state = this.#storage.triggerHandles(this.#context);
    const firing = new FiringContext(context, this.#timers);
    const perKey = this.#spec.windowFunction?.state;
    if (perKey !== undefined) firing.state = store.states(perKey);
    firing.handles = this.#isMerging ? null : this.#storage.windowHandles(this.#context);
    const emitter = new ResultEmitter(this.#spec.windowFunction, firing, context);
    this.#contents = new WindowContents(this.#spec, this.#storage, firing, emitter);
    this.#storage.restore();
  }

  process(value: unknown, timestampMs: number): void {
    const { assigner, keyOf } = this.#spec;
    const key = keyOf(value);
    this.#store.setCurrentKey(key);
    const byClock = assigner.kind !== 'global' && assigner.time === 'processing';
    const timeMs = byClock ? this.#now() : timestampMs;
    let skipped = true;
    for (const window of assignWindows(assigner, value, timeMs)) {
      const cell = this.#isMerging ? this.#joinSession(key, window) : this.#cellOf(key, window);
      if (cell === null) continue;
      skipped = false;
      this.#add(cell, value, timestampMs);
    }
    if (skipped && this.#isEventTime) {
      this.#late.offer(value, timestampMs, this.#timers.watermarkMs);
    }
  }

  onWatermark(timeMs: number): boolean {
    return this.#timers.advanceEventTime(timeMs, this.#onEventTime, this.#shouldYield);
  }

  onProcessingTime(nowMs: number): boolean {
    return this.#timers.advanceProcessingTime(nowMs, this.#onProcessingTime, this.#shouldYield);
  }

  snapshot(): void {
    this.#gridState?.snapshot(this.#timers.watermarkMs);
  }

  close(): void {}

  /** Live timers, for tests and metrics. */
  timerCounts(): { readonly eventTime: number; readonly processingTime: number } {
    return this.#timers.counts();
  }

  #add(cell: WindowCell, value: unknown, timestampMs: number): void {
    this.#contents.add(cell, value, timestampMs);
    this.#context.cell = cell;
    const result = this.#trigger.onRecord(value, timestampMs, cell.window, this.#context);
    this.#act(cell, result, true);
    this.#registerCleanup();
    if (!this.#isMerging) this.#storage.forgetIfEmpty(cell);
  }

  #act(cell: WindowCell, result: TriggerResult, livesOn: boolean): void {
    if (result === 'continue') return;
    const purges = purgesOf(result);
    if (firesOf(result)) this.#contents.fire(cell, livesOn && !purges);
    if (purges) this.#contents.clear(cell);
  }

  readonly #onEventTime = (timeMs: number, key: Key, namespace: SubKey): void => {
    const cell = this.#timerCell(key, namespace);
    if (cell === null) return; // G4
    this.#context.onTimerGone(true, timeMs);
    const ends = this.#isEventTime && timeMs === this.#cleanupTime(cell.window);
    this.#act(cell, this.#trigger.onEventTime(timeMs, cell.window, this.#context), !ends);
    this.#afterTimer(cell, ends);
  };

  readonly #onProcessingTime = (timeMs: number, key: Key, namespace: SubKey): void => {
    const cell = this.#timerCell(key, namespace);
    if (cell === null) return; // G4
    this.#context.onTimerGone(false, timeMs);
    const ends = !this.#isEventTime && timeMs === this.#cleanupTime(cell.window);
    this.#act(cell, this.#trigger.onProcessingTime(timeMs, cell.window, this.#context), !ends);
    this.#afterTimer(cell, ends);
  };

  #timerCell(key: Key, namespace: SubKey): WindowCell | null {
    const cell = this.#isMerging
      ? this.#storage.findSession(key, namespace as readonly [number, number])
      : this.#storage.cellAt(key, namespace as number);
    if (cell !== null) this.#context.cell = cell;
    return cell;
  }

  #afterTimer(cell: WindowCell, ends: boolean): void {
    if (ends) {
      this.#contents.clear(cell);
      this.#trigger.clear(cell.window, this.#context);
      this.#storage.drop(cell);
    } else if (!this.#isMerging) {
      this.#storage.forgetIfEmpty(cell);
    }
  }

  // null: late (G1).
  #cellOf(key: Key, window: Window): WindowCell | null {
    if (this.#isLate(window)) return null;
    return this.#storage.cellOf(key, window);
  }

  // null: late, judged on the merged window.
  #joinSession(key: Key, added: Window): WindowCell | null {
    const plan = this.#sessions.plan(key, added);
    if (this.#isLate(plan.window)) return null;
    if (plan.parts.length === 0) {
      return this.#storage.addSession(key, plan.window);
    }
    if (!plan.grows) return plan.parts[0]!;
    return this.#sessions.merge(plan, this.#context, () => this.#deleteCleanup());
  }

  #isLate(window: Window): boolean {
    return this.#isEventTime && this.#cleanupTime(window) <= this.#timers.watermarkMs;
  }

  #cleanupTime(window: Window): number {
    return cleanupTime(window, this.#isEventTime, this.#spec.allowedLatenessMs);
  }

  // Both: of the context's current cell.
  #registerCleanup(): void {
    const timeMs = this.#cleanupTime(this.#context.cell.window);
    if (timeMs === Number.POSITIVE_INFINITY) return; // never
    if (this.#isEventTime) this.#context.registerEventTime(timeMs);
    else this.#context.registerProcessingTime(timeMs);
  }

  #deleteCleanup(): void {
    const timeMs = this.#cleanupTime(this.#context.cell.window);
    if (timeMs === Number.POSITIVE_INFINITY) return;
    if (this.#isEventTime) this.#context.deleteEventTime(timeMs);
    else this.#context.deleteProcessingTime(timeMs);
  }

  // What tells the timers of one window from those of another. A session's bounds change, and
  // timers of the old bounds must not act on the new ones (G4).
  #namespaceOf(cell: WindowCell): Key {
    return this.#isMerging ? [cell.window.startMs, cell.window.endMs] : (cell.sub as number);
  }
}

function neverMerged(): never {
  assert(false, 'checkWindow refuses sessions of an aggregate without merge');
}
