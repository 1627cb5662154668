// Random schedules against plain data: whatever the order of changes, freezes, slices, writes,
// failures, discards, compactions, evictions, spills, crashes and rescales, a snapshot holds the
// state at its freeze, and whoever reads sees what was written.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Key } from '../element/key.ts';
import { keyGroupOf, keyGroupRangeOf, subtaskOf } from '../element/key-group.ts';
import { aggregating, list, map, reducing, type StateHandles, value } from './descriptors.ts';
import type { Entry, EntryTable } from './entry-table.ts';
import type { FrozenState, KeyedStateStore } from './keyed-state-store.ts';
import { MemoryBudget } from './memory-budget.ts';
import type { KeyedStateSnapshot, RunReference } from './snapshot.ts';
import { SeededRandom, StateTestBed } from './state-test-bed.ts';

const MAX_PARALLELISM = 4;
const TTL_MS = 20;
const KEYS: readonly Key[] = ['a', 'b', 'c', 1, 1n, true, ['a', 1], 'a\u0000', '\ud800'];
const SUBS = [0, 5, -3, 40, Number.POSITIVE_INFINITY];

type Box = { n: number; extra?: Record<string, unknown> };

const descriptors = {
  value: value<Box>(),
  list: list<Box>(),
  map: map<Key, Box>(),
  large: map<number, number>(),
  sum: reducing<number>((a, b) => a + b),
  bag: aggregating<number, number[], number[]>({
    create: () => [],
    add(all, x) {
      all.push(x); // in place: only the engine's marking keeps snapshots right
      return all;
    },
  }),
  mayfly: value<number | undefined>(undefined, { ttl: { ttlMs: TTL_MS } }),
  mayflies: list<number>({ ttl: { ttlMs: TTL_MS } }),
  swarm: map<number, number>({ ttl: { ttlMs: TTL_MS, update: 'onReadAndWrite' } }),
};

type Stamped<T> = { at: number; x: T };

/** What one key should hold. */
interface ModelKey {
  value: Box | undefined;
  list: Box[];
  map: [Key, Box][];
  large: [number, number][];
  sum: number | undefined;
  bag: number[] | undefined;
  mayfly: Stamped<number> | undefined;
  mayflies: Stamped<number>[];
  swarm: [number, Stamped<number>][];
  /** By sub key. */
  entries: [number, Box][];
}

type Model = ModelKey[];

const emptyModel = (): Model =>
  KEYS.map(() => ({
    value: undefined,
    list: [],
    map: [],
    large: [],
    sum: undefined,
    bag: undefined,
    mayfly: undefined,
    mayflies: [],
    swarm: [],
    entries: [],
  }));

/** A store with the index of its table. */
interface Subject {
  readonly store: KeyedStateStore;
  readonly handles: StateHandles<typeof descriptors>;
  readonly table: EntryTable<Box>;
  readonly index: Map<string, Entry<Box>>;
}

interface Checkpoint {
  readonly model: Model;
  readonly frozen: FrozenState[];
  snapshots: KeyedStateSnapshot[] | null;
  isAsked: boolean;
}

class Schedule {
  readonly bed = new StateTestBed();
  readonly random: SeededRandom;
  /** One in three schedules has room for hardly anything: it evicts and spills by itself. */
  readonly memory: MemoryBudget;
  readonly seed: number;
  subjects: Subject[] = [];
  model = emptyModel();
  checkpoints: Checkpoint[] = [];
  counter = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.random = new SeededRandom(seed);
    this.memory = new MemoryBudget(seed % 3 === 0 ? 4_000 : Number.POSITIVE_INFINITY);
  }

  async run(steps: number): Promise<void> {
    this.subjects = await this.open(1 + this.random.below(3), null);
    for (let i = 0; i < steps; i++) await this.step();
    const last = this.freeze();
    this.ask(last);
    this.bed.failingWrites = 0;
    for (let i = 0; last.snapshots === null; i++) {
      assert.ok(i < 1_000, this.say('the last snapshot does not complete'));
      if (!last.isAsked) this.ask(last);
      await this.bed.step();
    }
    await this.verify(last);
  }

  async step(): Promise<void> {
    if (this.random.below(4) === 0) this.shrink();
    const choice = this.random.below(40);
    if (choice < 23) this.change();
    else if (choice < 25) this.look();
    else if (choice < 26) this.bed.nowMs += this.random.below(12);
    else if (choice < 28) this.freeze();
    else if (choice < 31) this.ask(this.checkpoints.at(-1 - this.random.below(3)));
    else if (choice < 36) await this.happen(1 + this.random.below(8));
    else if (choice < 37) this.discard();
    else if (choice < 38) this.bed.failingWrites += this.random.below(3) === 0 ? 1 : 0;
    else if (this.random.below(3) === 0) await this.verify(this.random.pick(this.completed()));
    else if (this.random.below(3) > 0) await this.crash();
  }

  /** Memory gets short: between two records, as everywhere else. */
  shrink(): void {
    this.memory.relieve();
    for (const member of this.memory.members) {
      const choice = this.random.below(8);
      if (choice < 5) member.evictSome(1 + this.random.below(30));
      else if (choice === 7) member.spill();
      member.noteUse(this.random.below(2) === 0);
    }
  }

  async happen(times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      await this.bed.step(this.random.below(this.bed.pending.length + 1));
    }
  }

  completed(): Checkpoint[] {
    return this.checkpoints.filter(({ snapshots }) => snapshots !== null);
  }

  async open(parallelism: number, old: KeyedStateSnapshot[] | null): Promise<Subject[]> {
    const subjects: Subject[] = [];
    for (let subtask = 0; subtask < parallelism; subtask++) {
      const range = keyGroupRangeOf(subtask, MAX_PARALLELISM, parallelism);
      const references = old === null ? null : referencesFor(old, range);
      const store = await this.bed.open(
        {
          keyGroupRange: range,
          maxParallelism: MAX_PARALLELISM,
          compression: this.seed % 2 === 0 ? 'zstd' : 'none',
          tuning: {
            sliceEntries: 1 + (this.seed % 5),
            sweepAt: 1 + (this.seed % 3),
            largeMap: 1 + (this.seed % 7),
          },
          memory: this.memory,
          hydrate: this.random.below(2) === 0,
          compaction: (sizes) => (sizes.length < 2 ? 0 : 2 + this.random.below(sizes.length - 1)),
        },
        references,
      );
      subjects.push(this.declare(store));
    }
    return subjects;
  }

  declare(store: KeyedStateStore): Subject {
    const handles = store.states(descriptors);
    const table = store.table<Box>({ name: 'table', kind: 'window', order: 'sub' });
    const index = new Map<string, Entry<Box>>();
    let previous = { keyGroup: -1, sub: Number.NEGATIVE_INFINITY };
    table.restored((entry) => {
      const sub = entry.sub as number;
      const isNext = entry.keyGroup > previous.keyGroup || sub >= previous.sub;
      assert.ok(isNext, this.say('restored entries come in the order of the table'));
      previous = { keyGroup: entry.keyGroup, sub };
      index.set(address(keyNumber(entry.key), sub), entry);
    });
    return { store, handles, table, index };
  }

  at(key: number): { subject: Subject; model: ModelKey } {
    const keyGroup = keyGroupOf(KEYS[key]!, MAX_PARALLELISM);
    const subtask = subtaskOf(keyGroup, MAX_PARALLELISM, this.subjects.length);
    const subject = this.subjects[subtask]!;
    subject.store.setCurrentKey(KEYS[key]!);
    return { subject, model: this.model[key]! };
  }

  change(): void {
    const key = this.random.below(this.random.below(4) === 0 ? KEYS.length : 3);
    const { subject, model } = this.at(key);
    const n = this.counter++;
    switch (this.random.below(9)) {
      case 8:
        this.changeLarge(subject, model, n);
        break;
      case 0:
        this.changeValue(subject, model, n);
        break;
      case 1:
        this.changeList(subject, model, n);
        break;
      case 2:
        this.changeMap(subject, model, n);
        break;
      case 3:
        this.changeSums(subject, model, n);
        break;
      case 4:
        this.changeMortals(subject, model, n);
        break;
      default:
        this.changeTable(subject, model, key, n);
    }
  }

  changeValue({ handles }: Subject, model: ModelKey, n: number): void {
    if (this.random.below(4) === 0) {
      handles.value.clear();
      model.value = undefined;
      return;
    }
    // Read, changed in place and put back: copy on access must have saved the old one.
    const box = (handles.value.get() as Box | undefined) ?? { n: 0 };
    assert.deepEqual(box, model.value ?? { n: 0 }, this.say('value'));
    box.n = n;
    if (this.random.below(3) === 0) box.extra = { [`f${n % 4}`]: n };
    handles.value.set(box);
    model.value = structuredClone(box);
  }

  changeList({ handles }: Subject, model: ModelKey, n: number): void {
    switch (this.random.below(5)) {
      case 0:
        handles.list.clear();
        model.list = [];
        return;
      case 1:
        handles.list.update([{ n }, { n: n + 0.5 }]);
        model.list = [{ n }, { n: n + 0.5 }];
        return;
      default:
        handles.list.add({ n });
        model.list.push({ n });
    }
  }

  changeMap({ handles }: Subject, model: ModelKey, n: number): void {
    const key = this.random.pick(KEYS);
    const at = model.map.findIndex(([k]) => keyNumber(k) === keyNumber(key));
    switch (this.random.below(6)) {
      case 0:
        handles.map.clear();
        model.map = [];
        return;
      case 1:
      case 2:
        handles.map.delete(key);
        if (at >= 0) model.map.splice(at, 1);
        return;
      default: {
        const box = (handles.map.get(key) as Box | undefined) ?? { n: 0 };
        assert.deepEqual(box, model.map[at]?.[1] ?? { n: 0 }, this.say('map'));
        box.n = n;
        handles.map.set(key, box);
        if (at >= 0) model.map[at] = [key, { ...box }];
        else model.map.push([key, { ...box }]);
      }
    }
  }

  changeLarge({ handles }: Subject, model: ModelKey, n: number): void {
    const choice = this.random.below(8);
    if (choice === 0) {
      handles.large.clear();
      model.large = [];
      return;
    }
    if (choice === 1) {
      assert.equal(handles.large.isEmpty(), model.large.length === 0, this.say('isEmpty'));
      return;
    }
    for (let i = 0; i < 6; i++) {
      const name = this.random.below(20);
      const at = model.large.findIndex(([k]) => k === name);
      assert.equal(handles.large.has(name), at >= 0, this.say('has'));
      if (this.random.below(3) === 0) {
        handles.large.delete(name);
        if (at >= 0) model.large.splice(at, 1);
      } else {
        handles.large.set(name, n);
        if (at >= 0) model.large[at] = [name, n];
        else model.large.push([name, n]);
      }
    }
  }

  changeSums({ handles }: Subject, model: ModelKey, n: number): void {
    if (this.random.below(4) === 0) {
      handles.sum.clear();
      handles.bag.clear();
      model.sum = undefined;
      model.bag = undefined;
      return;
    }
    handles.sum.add(n);
    handles.bag.add(n);
    model.sum = (model.sum ?? 0) + n;
    model.bag = [...(model.bag ?? []), n];
  }

  changeMortals({ handles }: Subject, model: ModelKey, n: number): void {
    const stamped = { at: this.bed.nowMs, x: n };
    switch (this.random.below(4)) {
      case 0:
        handles.mayfly.set(n);
        model.mayfly = stamped;
        return;
      case 1:
        handles.mayflies.add(n);
        model.mayflies.push(stamped);
        return;
      case 2: {
        // A set keeps the place of what is there, also if it has expired: no look in between.
        const at = model.swarm.findIndex(([k]) => k === n % 5);
        handles.swarm.set(n % 5, n);
        if (at >= 0 && this.isAlive(model.swarm[at]![1])) model.swarm[at] = [n % 5, stamped];
        else {
          if (at >= 0) model.swarm.splice(at, 1);
          model.swarm.push([n % 5, stamped]);
        }
        return;
      }
      default:
        handles.mayfly.clear();
        model.mayfly = undefined;
    }
  }

  changeTable({ table, index, store }: Subject, model: ModelKey, key: number, n: number): void {
    const sub = this.random.pick(SUBS);
    const entry = index.get(address(key, sub));
    const at = model.entries.findIndex(([s]) => s === sub);
    if (entry === undefined) {
      const created = table.create(KEYS[key]!, store.currentKeyGroup(), sub, { n });
      index.set(address(key, sub), created);
      model.entries.push([sub, { n }]);
    } else if (this.random.below(2) === 0) {
      table.write(entry);
      entry.value.n = n;
      model.entries[at] = [sub, { n }];
    } else {
      table.remove(entry);
      index.delete(address(key, sub));
      model.entries.splice(at, 1);
    }
  }

  /** Compares one key as the user sees it. Reading `swarm` stamps it, here and in the model. */
  look(): void {
    if (this.random.below(4) === 0) this.lookAtAll();
    const { subject, model } = this.at(this.random.below(KEYS.length));
    if (this.random.below(2) === 0) this.shrink();
    const alive = model.swarm.filter(([, stamped]) => this.isAlive(stamped));
    model.swarm = alive.map(([k, { x }]) => [k, { at: this.bed.nowMs, x }]);
    assert.deepEqual(seen(subject), this.expected(model), this.say('look'));
  }

  /** Compares which keys hold what. */
  lookAtAll(): void {
    const visited: Record<string, number[]> = { value: [], list: [], map: [], large: [], bag: [] };
    for (const { store } of this.subjects) {
      for (const [name, keys] of Object.entries(visited)) {
        store.forEachKey(name, (key) => void keys.push(keyNumber(key)));
      }
    }
    const holds = (test: (key: ModelKey) => boolean): number[] =>
      this.model.flatMap((key, i) => (test(key) ? [i] : []));
    for (const keys of Object.values(visited)) keys.sort((a, b) => a - b);
    assert.deepEqual(
      visited,
      {
        value: holds((key) => key.value !== undefined),
        list: holds((key) => key.list.length > 0),
        map: holds((key) => key.map.length > 0),
        large: holds((key) => key.large.length > 0),
        bag: holds((key) => key.bag !== undefined),
      },
      this.say('forEachKey'),
    );
    const isEmpty = this.subjects.every(({ store }) => store.isEmpty());
    const isHeld = this.model.some((key) => Object.values(immortal(key)).some(isSomething));
    assert.ok(!isEmpty || !isHeld, this.say('isEmpty'));
  }

  isAlive({ at }: Stamped<unknown>): boolean {
    return at + TTL_MS > this.bed.nowMs;
  }

  expected(model: ModelKey): unknown {
    const { mayfly } = model;
    return {
      value: model.value,
      list: model.list,
      map: model.map,
      large: model.large,
      sum: model.sum,
      bag: model.bag,
      mayfly: mayfly !== undefined && this.isAlive(mayfly) ? mayfly.x : undefined,
      mayflies: model.mayflies.filter((s) => this.isAlive(s)).map(({ x }) => x),
      swarm: sorted(model.swarm.filter(([, s]) => this.isAlive(s)).map(([k, { x }]) => [k, x])),
    };
  }

  freeze(): Checkpoint {
    const checkpoint: Checkpoint = {
      model: structuredClone(this.model),
      frozen: this.subjects.map(({ store }) => store.freeze()),
      snapshots: null,
      isAsked: false,
    };
    this.checkpoints.push(checkpoint);
    return checkpoint;
  }

  ask(checkpoint: Checkpoint | undefined): void {
    if (checkpoint === undefined || checkpoint.isAsked) return;
    checkpoint.isAsked = true;
    const persists = this.subjects.map(({ store }, i) =>
      store.persist(checkpoint.frozen[i]!, 'checkpoint'),
    );
    Promise.all(persists).then(
      (snapshots) => {
        checkpoint.snapshots = snapshots;
      },
      () => {
        checkpoint.isAsked = false; // a write failed; asked again or covered by a later one
      },
    );
  }

  discard(): void {
    const checkpoint = this.random.pick(this.checkpoints);
    if (checkpoint === undefined || checkpoint.snapshots !== null) return;
    this.subjects.forEach(({ store }, i) => {
      store.discard(checkpoint.frozen[i]!);
      store.discard(checkpoint.frozen[i]!);
    });
    this.checkpoints = this.checkpoints.filter((other) => other !== checkpoint);
  }

  /** Restores a completed snapshot into other stores and compares everything. */
  async verify(checkpoint: Checkpoint | undefined): Promise<void> {
    if (checkpoint === undefined || checkpoint.snapshots === null) return;
    const current = this.subjects;
    const model = this.model;
    this.subjects = await this.open(1 + this.random.below(3), checkpoint.snapshots);
    this.model = structuredClone(checkpoint.model);
    for (let key = 0; key < KEYS.length; key++) {
      if (this.random.below(3) === 0) this.shrink();
      const at = this.at(key);
      assert.deepEqual(seen(at.subject), this.expected(at.model), this.say(`restored ${key}`));
      const entries = at.model.entries.map(([sub, box]) => [address(key, sub), box] as const);
      for (const [name, box] of entries) {
        assert.deepEqual(at.subject.index.get(name)?.value, box, this.say(`table ${name}`));
      }
    }
    const inTables = this.subjects.reduce((sum, { index }) => sum + index.size, 0);
    const inModel = this.model.reduce((sum, { entries }) => sum + entries.length, 0);
    assert.equal(inTables, inModel, this.say('entries of the table'));
    for (const { store } of this.subjects) store.close();
    this.subjects = current;
    this.model = model;
  }

  async crash(): Promise<void> {
    const checkpoint = this.random.pick(this.completed());
    if (checkpoint === undefined) return;
    for (const { store } of this.subjects) store.close();
    if (this.random.below(2) === 0) this.bed.pending.length = 0; // else late answers still come
    this.subjects = await this.open(1 + this.random.below(3), checkpoint.snapshots);
    this.model = structuredClone(checkpoint.model);
    this.checkpoints = [];
  }

  say(what: string): string {
    return `seed ${this.seed}: ${what}`;
  }
}

function seen({ handles }: Subject): unknown {
  return {
    value: handles.value.get(),
    list: handles.list.get(),
    map: [...handles.map.entries()],
    large: [...handles.large.entries()],
    sum: handles.sum.get(),
    bag: handles.bag.get(),
    mayfly: handles.mayfly.get(),
    mayflies: handles.mayflies.get(),
    swarm: sorted([...handles.swarm.entries()]),
  };
}

/** What does not go by itself. */
function immortal({ mayfly: _1, mayflies: _2, swarm: _3, ...rest }: ModelKey): object {
  return rest;
}

function isSomething(held: unknown): boolean {
  return Array.isArray(held) ? held.length > 0 : held !== undefined;
}

// The place of an entry that was set again after it had expired is not promised.
function sorted(entries: readonly (readonly [number, number])[]): unknown {
  return [...entries].sort(([a], [b]) => a - b);
}

function referencesFor(
  old: readonly KeyedStateSnapshot[],
  range: { first: number; last: number },
): RunReference[] {
  return old
    .filter(({ keyGroups }) => keyGroups.first <= range.last && keyGroups.last >= range.first)
    .flatMap(({ runs }) => runs);
}

function keyNumber(key: Key): number {
  return KEYS.findIndex(
    (other) =>
      JSON.stringify([typeof other, String(other)]) === JSON.stringify([typeof key, String(key)]),
  );
}

function address(key: number, sub: number): string {
  return `${key}/${sub}`;
}

const schedules = Number(process.env.STATE_SCHEDULES ?? 600);
const firstSeed = Number(process.env.STATE_SEED ?? 1);

test(`KeyedStateStore agrees with plain data over ${schedules} random schedules`, async () => {
  for (let i = 0; i < schedules; i++) await new Schedule(firstSeed + i).run(120);
});
