import { type Key, type KeyIdentity, keyIdentity } from '../../element/key.ts';
import type { JoinContext } from '../../function/join-function.ts';
import { checkJoinInterval } from '../../function/join-function.ts';
import type { OperatorSpec } from '../../graph/operator-spec.ts';
import type { Entry, EntryTable } from '../../state/entry-table.ts';
import type { KeyedStateStore } from '../../state/keyed-state-store.ts';
import type { Counter } from '../../metrics/registry.ts';
import { openTimerService } from '../timer/open-timer-service.ts';
import type { FireTimer, TimerService } from '../timer/timer-service.ts';
import { MissingTimestampError } from '../window/window-assignment.ts';
import { RecordContext } from './function-context.ts';
import type { Operator, OperatorContext, Output } from './operator.ts';
import { refuseResult } from './refuse-result.ts';
import { TimeBuffer, type Timed } from './time-buffer.ts';

type Spec = OperatorSpec & { kind: 'intervalJoin' };

/**
 * Joins the records of two keyed streams whose event times are near enough.
 *
 * @throws InvalidOptionError if the interval makes no sense
 *
 * Source: org.apache.flink.streaming.api.operators.co.IntervalJoinOperator.
 */
export function createIntervalJoin(spec: Spec): Operator {
  checkJoinInterval(spec.interval);
  return new IntervalJoinOperator(spec);
}

/** A stored record; the entry's `sub` is [time, number]: the number tells equal times apart. */
interface Buffered extends Timed {
  readonly entry: Entry<unknown>;
}

/** One input: where its records are kept, and how long. */
interface Side {
  readonly table: EntryTable<unknown>;
  readonly late: Output | null;
  /** A record at t can still find a partner until the watermark reaches t + keepMs. */
  readonly keepMs: number;
  /** Of the partners, relative to a record of this side. */
  readonly lowestMs: number;
  readonly highestMs: number;
}

/** Of one key. */
interface Buffers {
  readonly sides: readonly [TimeBuffer<Buffered>, TimeBuffer<Buffered>];
  nextNumber: number;
  /** When the first of all records can go; the key's only timer. */
  timerMs: number;
}

class PairContext extends RecordContext implements JoinContext<unknown> {
  leftTimestampMs = 0.5; // doubles from the start, so that storing one does not allocate
  rightTimestampMs = 0.5;
}

// J1. A record behind the watermark (t < watermark) is late: it joins nothing, even if a partner is
//     still there.
// J2. A key with records has exactly one timer, at the first time when one of them can go.
// J3. Partners are visited from the latest time to the earliest.
class IntervalJoinOperator implements Operator {
  readonly #spec: Spec;
  readonly #byKey = new Map<KeyIdentity, Buffers>();
  #context!: OperatorContext;
  #store!: KeyedStateStore;
  #timers!: TimerService;
  #sides!: readonly [Side, Side];
  #call!: PairContext;
  #dropped!: Counter;
  readonly #fire: FireTimer = (_timeMs, key) => this.#prune(key);
  readonly #shouldYield = (): boolean => this.#context.shouldYield();

  constructor(spec: Spec) {
    this.#spec = spec;
  }

  open(context: OperatorContext): void {
    this.#context = context;
    this.#store = context.keyed;
    this.#call = new PairContext(context);
    this.#dropped = context.metrics.counter('lateRecordsDropped');
    const { interval, lateOutputs } = this.#spec;
    // Times are whole milliseconds, so an open end is a closed one a millisecond further in.
    const lower = interval.lowerMs + (interval.lowerInclusive === false ? 1 : 0);
    const upper = interval.upperMs - (interval.upperInclusive === false ? 1 : 0);
    this.#sides = [
      this.#openSide('left', lower, upper, lateOutputs?.left),
      this.#openSide('right', -upper, -lower, lateOutputs?.right),
    ];
    this.#timers = openTimerService(this.#store, 'timers', context);
    this.#restore(0);
    this.#restore(1);
  }

  process(value: unknown, timestampMs: number): void {
    this.#onRecord(0, this.#spec.keyOf1(value), value, timestampMs);
  }

  process2(value: unknown, timestampMs: number): void {
    this.#onRecord(1, this.#spec.keyOf2(value), value, timestampMs);
  }

  onWatermark(timeMs: number): boolean {
    this.#call.watermarkMs = timeMs;
    return this.#timers.advanceEventTime(timeMs, this.#fire, this.#shouldYield);
  }

  close(): void {}

  #openSide(
    name: 'left' | 'right',
    lowestMs: number,
    highestMs: number,
    lateOutput: string | null | undefined,
  ): Side {
    return {
      table: this.#store.table({ name, kind: 'list', order: 'key' }),
      late: lateOutput ? this.#context.sideOutput(lateOutput) : null,
      keepMs: Math.max(0, highestMs),
      lowestMs,
      highestMs,
    };
  }

  #restore(side: 0 | 1): void {
    this.#sides[side].table.restored((entry) => {
      const [timeMs, number] = entry.sub as readonly [number, number];
      const buffers = this.#buffersOf(entry.key);
      buffers.sides[side].add({ timeMs, entry });
      buffers.nextNumber = Math.max(buffers.nextNumber, number + 1);
      buffers.timerMs = this.#firstEndMs(buffers); // J2: that timer was restored, too
    });
  }

  #onRecord(side: 0 | 1, key: Key, value: unknown, timestampMs: number): void {
    const { table, late, keepMs, lowestMs, highestMs } = this.#sides[side];
    if (!Number.isFinite(timestampMs)) throw this.#missingTimestamp(timestampMs);
    if (timestampMs < this.#timers.watermarkMs) {
      if (late !== null) late.emit(value, timestampMs);
      else this.#dropped.inc();
      return; // J1
    }
    this.#store.setCurrentKey(key);
    const buffers = this.#buffersOf(key);
    const sub = [timestampMs, buffers.nextNumber++];
    const entry = table.create(key, this.#store.currentKeyGroup(), sub, value);
    buffers.sides[side].add({ timeMs: timestampMs, entry });
    const partners = buffers.sides[side === 0 ? 1 : 0];
    partners.visitRange(timestampMs + lowestMs, timestampMs + highestMs, (partner) => {
      if (side === 0) this.#join(value, timestampMs, partner.entry.value, partner.timeMs);
      else this.#join(partner.entry.value, partner.timeMs, value, timestampMs);
    });
    this.#moveTimer(buffers, Math.min(buffers.timerMs, timestampMs + keepMs));
  }

  #join(left: unknown, leftMs: number, right: unknown, rightMs: number): void {
    const call = this.#call;
    call.timestampMs = Math.max(leftMs, rightMs);
    call.leftTimestampMs = leftMs;
    call.rightTimestampMs = rightMs;
    const result: unknown = this.#spec.join.onPair(left, right, call);
    if (result !== undefined) refuseResult(result, this.#context.operatorUid);
  }

  #missingTimestamp(timestampMs: number): MissingTimestampError {
    return new MissingTimestampError(
      `interval join "${this.#context.operatorUid}" got a record with timestamp ${timestampMs}`,
      { timestampMs },
      { hint: 'Assign timestamps with eventTime({ timestamp }) before the join.' },
    );
  }

  #prune(key: Key): void {
    const identity = keyIdentity(key);
    const buffers = this.#byKey.get(identity);
    // A restored timer of an interval that has been changed since may come after its records.
    if (buffers === undefined) return;
    const watermarkMs = this.#timers.watermarkMs;
    for (const side of [0, 1] as const) {
      const { table, keepMs } = this.#sides[side];
      buffers.sides[side].removeThrough(watermarkMs - keepMs, ({ entry }) => table.remove(entry));
    }
    buffers.timerMs = Number.POSITIVE_INFINITY; // it has just fired
    if (buffers.sides[0].size + buffers.sides[1].size === 0) this.#byKey.delete(identity);
    else this.#moveTimer(buffers, this.#firstEndMs(buffers));
  }

  #moveTimer(buffers: Buffers, timeMs: number): void {
    if (timeMs === buffers.timerMs) return;
    if (buffers.timerMs !== Number.POSITIVE_INFINITY) this.#timers.deleteEventTime(buffers.timerMs);
    buffers.timerMs = timeMs;
    this.#timers.registerEventTime(timeMs);
  }

  #firstEndMs({ sides }: Buffers): number {
    const [left, right] = this.#sides;
    return Math.min(sides[0].firstMs + left.keepMs, sides[1].firstMs + right.keepMs);
  }

  #buffersOf(key: Key): Buffers {
    const identity = keyIdentity(key);
    let buffers = this.#byKey.get(identity);
    if (buffers === undefined) {
      buffers = {
        sides: [new TimeBuffer(), new TimeBuffer()],
        nextNumber: 0,
        timerMs: Number.POSITIVE_INFINITY,
      };
      this.#byKey.set(identity, buffers);
    }
    return buffers;
  }
}
