import { assert } from '../../base/assert.ts';
import { type Key, type KeyIdentity, keyIdentity } from '../../element/key.ts';
import { keyGroupOf } from '../../element/key-group.ts';
import { MIN_WATERMARK } from '../../element/time.ts';
import type { WindowSpec } from '../../graph/operator-spec.ts';
import type { Entry, EntryTable } from '../../state/entry-table.ts';
import type { Operator, OperatorContext } from '../operator/operator.ts';
import { LateRecords } from './late-records.ts';
import { planMerge } from './merging-windows.ts';
import { ResultEmitter } from './result-emitter.ts';
import { TimeHeap } from './time-heap.ts';
import { checkedGap, missingTimestamp } from './window-assignment.ts';
import { FiringContext } from './window-contexts.ts';
import { foldOf, type WindowFold } from './window-fold.ts';

// Sessions of event time that fire once, at their end: the fast path.
//
//   record --touches the only session of its key--> grows it in place (hot path)
//     +------otherwise------> planMerge: new session, or some sessions become one
//
// X1. Sessions of one key do not touch; one is the head of the key, the others hang on it.
// X2. Every live session has one timer, at or before its end. A growing session does not move it:
//     a timer that comes early is set again, so sessions fire in the order of their ends.
// X3. A live session ends behind the watermark: a record that touches one is not late.

/** What is stored of a session, by key and start. */
interface SessionValue {
  endMs: number;
  accumulator: unknown;
}

class Session {
  readonly entry: Entry<SessionValue>;
  readonly startMs: number;
  /** Only of the head: the other sessions of the key. */
  others: Session[] | null = null;
  isLive = true;

  constructor(entry: Entry<SessionValue>) {
    this.entry = entry;
    this.startMs = entry.sub as number;
  }

  get endMs(): number {
    return this.entry.value.endMs;
  }
}

/** See `windowPathOf`, path `session`. Table: `sessions`, by key and start. */
export class SessionWindowOperator implements Operator {
  readonly #spec: WindowSpec;
  readonly #keyOf: (value: unknown) => Key;
  readonly #fold: WindowFold;
  readonly #gapMs: number;
  readonly #gapOf: ((value: unknown) => number) | null;
  readonly #heads = new Map<KeyIdentity, Session>();
  readonly #ends = new TimeHeap<Session>();
  #table!: EntryTable<SessionValue>;
  #emitter!: ResultEmitter;
  #late!: LateRecords;
  #context!: OperatorContext;
  /** Of `WatermarkView`. */
  watermarkMs = MIN_WATERMARK;

  /** @param spec of path `session` */
  constructor(spec: WindowSpec) {
    const { assigner } = spec;
    const fold = foldOf(spec.body);
    assert(fold?.merge, 'windowPathOf leaves what cannot merge to the general path');
    assert(assigner.kind === 'session' || assigner.kind === 'dynamicSession', 'a session window');
    this.#spec = spec;
    this.#keyOf = spec.keyOf;
    this.#fold = fold;
    this.#gapMs = assigner.kind === 'session' ? assigner.gapMs : 0;
    this.#gapOf = assigner.kind === 'session' ? null : assigner.gapMs;
  }

  open(context: OperatorContext): void {
    this.#context = context;
    const firing = new FiringContext(context, this);
    firing.handles = null;
    this.#emitter = new ResultEmitter(this.#spec.windowFunction, firing, context);
    this.#late = new LateRecords(this.#spec, context);
    this.#table = context.keyed.table({ name: 'sessions', kind: 'window', order: 'key' });
    this.#table.restored((entry) => {
      const session = this.#armed(entry);
      const all = this.#allOf(this.#heads.get(keyIdentity(entry.key)));
      this.#setAll(entry.key, [...all, session]);
    });
  }

  process(value: unknown, timestampMs: number): void {
    const key = this.#keyOf(value);
    const session = this.#heads.get(keyIdentity(key));
    if (
      session === undefined ||
      session.others !== null ||
      !(timestampMs >= session.startMs && timestampMs <= session.entry.value.endMs)
    ) {
      this.#join(key, session, value, timestampMs);
      return;
    }
    const gapMs = this.#gapOf === null ? this.#gapMs : checkedGap(this.#gapOf(value));
    const { entry } = session;
    this.#table.write(entry);
    const held = entry.value;
    if (timestampMs + gapMs > held.endMs) held.endMs = timestampMs + gapMs;
    held.accumulator = this.#fold.add(held.accumulator, value);
  }

  onWatermark(timeMs: number): boolean {
    this.watermarkMs = timeMs;
    while (this.#ends.size > 0 && this.#ends.earliestMs() <= timeMs) {
      const dueMs = this.#ends.earliestMs();
      const session = this.#ends.pop();
      if (!session.isLive) continue;
      if (session.endMs - 1 > dueMs) {
        this.#ends.push(session.endMs - 1, session); // X2
        continue;
      }
      this.#fire(session);
      if (this.#context.shouldYield()) return false;
    }
    return true;
  }

  close(): void {}

  /** Sessions that wait for their end: this path's timers. */
  timerCounts(): { readonly eventTime: number; readonly processingTime: number } {
    return { eventTime: this.#ends.size, processingTime: 0 };
  }

  #join(key: Key, head: Session | undefined, value: unknown, timestampMs: number): void {
    if (!Number.isFinite(timestampMs)) throw missingTimestamp(timestampMs);
    const gapMs = this.#gapOf === null ? this.#gapMs : checkedGap(this.#gapOf(value));
    const all = this.#allOf(head);
    const plan = planMerge(all, { startMs: timestampMs, endMs: timestampMs + gapMs });
    const { startMs, endMs } = plan.window;
    if (endMs - 1 <= this.watermarkMs) {
      this.#late.offer(value, timestampMs, this.watermarkMs); // X3: it touches none
      return;
    }
    const parts = plan.absorbed.map((at) => all[at]!);
    if (parts.length === 0) {
      const accumulator = this.#fold.first(value);
      this.#setAll(key, [...all, this.#create(key, startMs, { endMs, accumulator })]);
      return;
    }
    const session = this.#merged(parts, startMs, endMs);
    const rest = all.filter((other) => !parts.includes(other));
    session.entry.value.accumulator = this.#fold.add(session.entry.value.accumulator, value);
    this.#setAll(key, [...rest, session]);
  }

  // One session out of one or more; its entry has been announced as changing.
  #merged(parts: readonly Session[], startMs: number, endMs: number): Session {
    const [first, ...others] = parts as [Session, ...Session[]];
    this.#table.write(first.entry);
    let { accumulator } = first.entry.value;
    for (const other of others) {
      this.#table.write(other.entry);
      accumulator = this.#fold.merge!(accumulator, other.entry.value.accumulator);
      this.#end(other);
    }
    if (first.startMs === startMs) {
      first.entry.value.endMs = endMs;
      first.entry.value.accumulator = accumulator;
      return first;
    }
    this.#end(first);
    return this.#create(first.entry.key, startMs, { endMs, accumulator });
  }

  #create(key: Key, startMs: number, value: SessionValue): Session {
    const group = keyGroupOf(key, this.#context.maxParallelism);
    return this.#armed(this.#table.create(key, group, startMs, value));
  }

  #armed(entry: Entry<SessionValue>): Session {
    const session = new Session(entry);
    this.#ends.push(session.endMs - 1, session);
    return session;
  }

  // The timer stays until its time comes, and then does nothing.
  #end(session: Session): void {
    session.isLive = false;
    this.#table.remove(session.entry);
  }

  #fire(session: Session): void {
    const { key } = session.entry;
    const bounds = { startMs: session.startMs, endMs: session.endMs };
    const result = this.#fold.result(session.entry.value.accumulator, false);
    this.#emitter.emit(key, bounds, result);
    this.#end(session);
    const head = this.#heads.get(keyIdentity(key));
    const rest = this.#allOf(head).filter((other) => other !== session);
    this.#setAll(key, rest);
  }

  #allOf(head: Session | undefined): readonly Session[] {
    if (head === undefined) return [];
    return head.others === null ? [head] : [head, ...head.others];
  }

  // X1.
  #setAll(key: Key, [head, ...others]: readonly Session[]): void {
    if (head === undefined) {
      this.#heads.delete(keyIdentity(key));
      return;
    }
    for (const other of others) other.others = null;
    head.others = others.length === 0 ? null : others;
    this.#heads.set(keyIdentity(key), head);
  }
}
