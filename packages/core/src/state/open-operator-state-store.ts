import { assert } from '../base/assert.ts';
import { fromTaggedJson, toTaggedJson } from '../codec/tagged-json.ts';
import type { BroadcastState, OperatorListState, OperatorStateStore } from './operator-state.ts';
import type { Json, OperatorListSnapshot, Redistribution } from './snapshot.ts';

/**
 * Opens the non-keyed state of one operator subtask.
 *
 * @param restored what the restore plan gave this subtask. A list of it that nobody declares is
 *   kept as it is and put into every snapshot: the host may own it (committables, positions).
 */
export function openOperatorStateStore(
  restored: readonly OperatorListSnapshot[],
): OperatorStateStore {
  return new HeapOperatorStateStore(restored);
}

interface Declared {
  readonly redistribution: Redistribution;
  elements(): readonly unknown[];
}

class HeapOperatorStateStore implements OperatorStateStore {
  readonly #restored: Map<string, OperatorListSnapshot>;
  readonly #declared = new Map<string, Declared>();

  constructor(restored: readonly OperatorListSnapshot[]) {
    this.#restored = new Map(restored.map((snapshot) => [snapshot.name, snapshot]));
  }

  list<T>(name: string, redistribution: 'split' | 'union'): OperatorListState<T> {
    const state = new HeapListState<T>(this.#take(name).map((json) => fromTaggedJson(json) as T));
    this.#declare(name, { redistribution, elements: () => state.get() });
    return state;
  }

  broadcast<K, V>(name: string): BroadcastState<K, V> {
    const entries = this.#take(name).map((json) => fromTaggedJson(json) as [K, V]);
    const state = new HeapBroadcastState<K, V>(entries);
    this.#declare(name, { redistribution: 'broadcast', elements: () => [...state.entries()] });
    return state;
  }

  snapshot(): OperatorListSnapshot[] {
    const snapshots = [...this.#restored.values()];
    for (const [name, { redistribution, elements }] of this.#declared) {
      const encoded = elements().map((element, i) => toTaggedJson(element, `${name}[${i}]`));
      snapshots.push({ name, redistribution, elements: encoded });
    }
    return snapshots;
  }

  #declare(name: string, declared: Declared): void {
    assert(!this.#declared.has(name), () => `operator state "${name}" is declared once`);
    this.#declared.set(name, declared);
  }

  #take(name: string): readonly Json[] {
    const snapshot = this.#restored.get(name);
    this.#restored.delete(name);
    return snapshot?.elements ?? [];
  }
}

class HeapListState<T> implements OperatorListState<T> {
  #elements: T[];

  constructor(elements: T[]) {
    this.#elements = elements;
  }

  get(): readonly T[] {
    return this.#elements;
  }

  update(elements: readonly T[]): void {
    this.#elements = [...elements];
  }

  add(element: T): void {
    this.#elements.push(element);
  }
}

/** Keys are told apart by their stored form, so that objects can be keys too. */
class HeapBroadcastState<K, V> implements BroadcastState<K, V> {
  readonly #entries = new Map<unknown, readonly [K, V]>();

  constructor(entries: readonly (readonly [K, V])[]) {
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(identityOf(key))?.[1];
  }

  has(key: K): boolean {
    return this.#entries.has(identityOf(key));
  }

  entries(): Iterable<readonly [K, V]> {
    return this.#entries.values();
  }

  set(key: K, value: V): void {
    this.#entries.set(identityOf(key), [key, value]);
  }

  delete(key: K): void {
    this.#entries.delete(identityOf(key));
  }

  clear(): void {
    this.#entries.clear();
  }
}

// Primitives stand for themselves, so that 1, "1" and 1n differ; objects for their JSON text.
function identityOf(key: unknown): unknown {
  if (typeof key !== 'object' || key === null) return key;
  return `\u0000${JSON.stringify(toTaggedJson(key, 'key'))}`;
}
