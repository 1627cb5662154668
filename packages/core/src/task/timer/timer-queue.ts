import { type Key, type KeyIdentity, keyIdentity } from '../../element/key.ts';
import type { Entry, EntryTable, SubKey } from '../../state/entry-table.ts';

/** A timer as it is stored: `sub` is its time, or `[time, namespace]`. The value says nothing. */
export type TimerEntry = Entry<null>;

// Heap and index of the timers of one domain.
//
//   register --> live --delete--> dead (still in the heap) --its time, or a rebuild--> gone
//                  |
//                  +--poll--> gone
//
// Q1. The index holds exactly the live timers, so it alone decides what fires: a heap element that
//     the index does not hold is dead and is skipped.
// Q2. Of one (time, key, namespace) at most one timer is live.
// Q3. The heap has at most twice as many elements as there are live timers, plus a constant.
//
// The index is one open-addressing table over the entries. A map of sets (by time or by key) would
// cost a set per timer as soon as times or keys are all different.

const FIRST_CAPACITY = 32;
// Below this many elements dead timers cost too little to rebuild the heap.
const REBUILD_SLACK = 64;

/** @returns when the timer is due */
export function timeOf(timer: TimerEntry): number {
  const sub = timer.sub;
  return typeof sub === 'number' ? sub : ((sub as readonly Key[])[0] as number);
}

/** @returns the namespace that the timer was registered with */
export function namespaceOf(timer: TimerEntry): SubKey {
  const sub = timer.sub;
  return typeof sub === 'number' ? undefined : (sub as readonly Key[])[1];
}

/** Timers of one domain in the order of their time, backed by a table of the keyed state. */
export class TimerQueue {
  readonly #table: EntryTable<null>;
  #live = 0;
  #heapSize = 0;
  #heapTimes = new Float64Array(FIRST_CAPACITY);
  #heapTimers: TimerEntry[] = [];
  #slots: (TimerEntry | null)[] = new Array<TimerEntry | null>(FIRST_CAPACITY).fill(null);
  #hashes = new Int32Array(FIRST_CAPACITY);

  /** Takes in what the table restored. Cost: O(timers). */
  constructor(table: EntryTable<null>) {
    this.#table = table;
    table.restored((timer) => this.#add(timer, hashOf(timeOf(timer), keyIdentity(timer.key))));
  }

  /** Live timers. */
  get size(): number {
    return this.#live;
  }

  /**
   * Adds a timer unless it is there (Q2).
   *
   * @param timeMs not NaN, not -0
   * @returns whether it was added
   *
   * Cost: one probe of the index, O(log n) for the heap.
   */
  register(timeMs: number, key: Key, keyGroup: number, namespace: SubKey): boolean {
    const identity = keyIdentity(key);
    const hash = hashOf(timeMs, identity);
    if (this.#find(hash, timeMs, identity, namespace) >= 0) return false;
    const sub = namespace === undefined ? timeMs : [timeMs, namespace];
    this.#add(this.#table.create(key, keyGroup, sub, null), hash);
    return true;
  }

  /** Removes a timer, if it is there. Cost: one probe; the heap is cleaned later (Q3). */
  delete(timeMs: number, key: Key, namespace: SubKey): void {
    const identity = keyIdentity(key);
    const slot = this.#find(hashOf(timeMs, identity), timeMs, identity, namespace);
    if (slot < 0) return;
    this.#table.remove(this.#slots[slot] as TimerEntry);
    this.#vacate(slot);
    if (this.#heapSize > 2 * this.#live + REBUILD_SLACK) this.#rebuildHeap();
  }

  /** The time of the first live timer; Infinity if there is none (see `size`). */
  earliestMs(): number {
    while (this.#heapSize > 0) {
      if (this.#slotOf(this.#heapTimers[0] as TimerEntry) >= 0) return this.#heapTimes[0] as number;
      this.#popHeap();
    }
    return Number.POSITIVE_INFINITY;
  }

  /**
   * Takes the first live timer out of queue and table if it is due.
   *
   * @returns null if nothing is due at `limitMs`
   */
  pollDue(limitMs: number): TimerEntry | null {
    while (this.#heapSize > 0 && (this.#heapTimes[0] as number) <= limitMs) {
      const timer = this.#popHeap();
      const slot = this.#slotOf(timer);
      if (slot < 0) continue; // Q1
      this.#vacate(slot);
      this.#table.remove(timer);
      return timer;
    }
    return null;
  }

  #add(timer: TimerEntry, hash: number): void {
    this.#live++;
    if (2 * this.#live > this.#slots.length) this.#growIndex();
    this.#occupy(timer, hash);
    this.#pushHeap(timer);
  }

  // ---- index: linear probing; `vacate` closes the gap, so there are no tombstones ----

  #find(hash: number, timeMs: number, identity: KeyIdentity, namespace: SubKey): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const timer = this.#slots[slot];
      if (timer === null || timer === undefined) return -1;
      if (
        this.#hashes[slot] === hash &&
        timeOf(timer) === timeMs &&
        keyIdentity(timer.key) === identity &&
        sameNamespace(namespaceOf(timer), namespace)
      )
        return slot;
    }
  }

  #slotOf(wanted: TimerEntry): number {
    const mask = this.#slots.length - 1;
    const hash = hashOf(timeOf(wanted), keyIdentity(wanted.key));
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const timer = this.#slots[slot];
      if (timer === wanted) return slot;
      if (timer === null || timer === undefined) return -1;
    }
  }

  #occupy(timer: TimerEntry, hash: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== null) slot = (slot + 1) & mask;
    this.#slots[slot] = timer;
    this.#hashes[slot] = hash;
  }

  #vacate(gap: number): void {
    this.#live--;
    const mask = this.#slots.length - 1;
    let hole = gap;
    for (let slot = (gap + 1) & mask; ; slot = (slot + 1) & mask) {
      const timer = this.#slots[slot] as TimerEntry | null;
      if (timer === null) break;
      const hash = this.#hashes[slot] as number;
      // It may move back only as far as its home slot.
      if (((slot - hash) & mask) < ((slot - hole) & mask)) continue;
      this.#slots[hole] = timer;
      this.#hashes[hole] = hash;
      hole = slot;
    }
    this.#slots[hole] = null;
  }

  #growIndex(): void {
    const slots = this.#slots;
    const hashes = this.#hashes;
    this.#slots = new Array<TimerEntry | null>(slots.length * 2).fill(null);
    this.#hashes = new Int32Array(slots.length * 2);
    for (let slot = 0; slot < slots.length; slot++) {
      const timer = slots[slot] as TimerEntry | null;
      if (timer !== null) this.#occupy(timer, hashes[slot] as number);
    }
  }

  // ---- heap: times beside the timers, so that a comparison touches no object ----

  #pushHeap(timer: TimerEntry): void {
    if (this.#heapSize === this.#heapTimes.length) {
      const times = new Float64Array(this.#heapSize * 2);
      times.set(this.#heapTimes);
      this.#heapTimes = times;
    }
    const times = this.#heapTimes;
    const timers = this.#heapTimers;
    const time = timeOf(timer);
    let at = this.#heapSize++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((times[parent] as number) <= time) break;
      times[at] = times[parent] as number;
      timers[at] = timers[parent] as TimerEntry;
      at = parent;
    }
    times[at] = time;
    timers[at] = timer;
  }

  #popHeap(): TimerEntry {
    const timers = this.#heapTimers;
    const first = timers[0] as TimerEntry;
    const size = --this.#heapSize;
    const last = timers.pop() as TimerEntry;
    if (size > 0) this.#sinkFrom(0, last, this.#heapTimes[size] as number);
    return first;
  }

  #sinkFrom(from: number, timer: TimerEntry, time: number): void {
    const times = this.#heapTimes;
    const timers = this.#heapTimers;
    const size = this.#heapSize;
    let at = from;
    for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && (times[child + 1] as number) < (times[child] as number)) child++;
      if ((times[child] as number) >= time) break;
      times[at] = times[child] as number;
      timers[at] = timers[child] as TimerEntry;
      at = child;
    }
    times[at] = time;
    timers[at] = timer;
  }

  #rebuildHeap(): void {
    this.#heapSize = 0;
    this.#heapTimers = [];
    this.#heapTimes = new Float64Array(Math.max(FIRST_CAPACITY, this.#live));
    for (const timer of this.#slots) if (timer !== null) this.#pushHeap(timer);
  }
}

function sameNamespace(a: SubKey, b: SubKey): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || keyIdentity(a) === keyIdentity(b);
}

// Namespaces are left out: timers of one key and time rarely differ by nothing else.
function hashOf(timeMs: number, identity: KeyIdentity): number {
  let hash = Math.imul(timeMs | 0, 0x9e3779b1) ^ Math.floor(timeMs / 0x1_0000_0000);
  if (typeof identity === 'number') {
    hash = Math.imul(hash ^ identity, 0x85ebca6b) ^ Math.floor(identity / 0x1_0000_0000);
  } else {
    const text = typeof identity === 'string' ? identity : String(identity);
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 12);
}
