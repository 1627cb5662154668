import type { DeepReadonly, ListState } from './descriptors.ts';
import type { ListCell, ListColumn } from './list-column.ts';
import type { StoredEntry } from './stored-entry.ts';
import { SWEEP_PER_WRITE, type TtlClock } from './ttl-clock.ts';
import type { OnStore } from './value-handles.ts';

/** List state: each element is an entry, so an append writes only the element. */
export class ListHandle<T> implements ListState<T> {
  readonly #column: ListColumn<T>;
  readonly #ttl: TtlClock | null;
  readonly #onStore: OnStore | null;

  constructor(column: ListColumn<T>, ttl: TtlClock | null, onStore: OnStore | null) {
    this.#column = column;
    this.#ttl = ttl;
    this.#onStore = onStore;
  }

  get(): readonly DeepReadonly<T>[] {
    const cell = this.#column.current();
    if (cell === undefined) return [];
    if (this.#ttl !== null) return this.#getWithTtl(cell, this.#ttl);
    return cell.entries.map((entry) => this.#show(entry));
  }

  add(element: T): void {
    if (this.#onStore !== null) this.#onStore(element);
    const { keys, table } = this.#column;
    const cell =
      this.#column.current() ?? this.#column.place((slot) => ({ slot, entries: [], next: 0 }));
    this.#column.noteChange(cell.slot);
    const expiresAtMs = this.#ttl?.expiry() ?? Number.POSITIVE_INFINITY;
    const key = keys.currentKey();
    const keyGroup = keys.currentKeyGroup();
    cell.entries.push(table.createRanked(key, keyGroup, cell.next++, element, expiresAtMs, 0));
    if (this.#ttl?.sweeps === true) this.#sweep(this.#ttl);
  }

  addAll(elements: Iterable<T>): void {
    for (const element of elements) this.add(element);
  }

  update(elements: Iterable<T>): void {
    const kept = [...elements]; // may be what `get` returned
    this.clear();
    this.addAll(kept);
  }

  clear(): void {
    const cell = this.#column.current();
    if (cell === undefined) return;
    for (const entry of cell.entries) this.#column.remove(cell, entry);
    cell.entries = [];
    this.#column.dropIfWhole(cell);
  }

  // Elements expire in their order, as each is stamped when it is added, or all when they are read.
  #sweep(ttl: TtlClock): void {
    for (let i = 0; i < SWEEP_PER_WRITE; i++) {
      const cell = this.#column.nextInRound();
      if (cell === undefined) continue;
      let expired = 0;
      for (const entry of cell.entries) {
        if (!ttl.isExpired(entry.expiresAtMs)) break;
        this.#column.remove(cell, entry);
        expired++;
      }
      if (expired > 0) cell.entries.splice(0, expired);
      if (cell.entries.length === 0) this.#column.dropIfWhole(cell);
    }
  }

  #getWithTtl(cell: ListCell<T>, ttl: TtlClock): readonly DeepReadonly<T>[] {
    const shown: DeepReadonly<T>[] = [];
    const kept: StoredEntry<T>[] = [];
    for (const entry of cell.entries) {
      if (!ttl.isExpired(entry.expiresAtMs)) {
        shown.push(this.#show(entry));
        kept.push(entry);
        if (!ttl.restampsOnRead) continue;
        this.#column.table.write(entry);
        this.#column.noteChange(cell.slot);
        entry.expiresAtMs = ttl.expiry();
      } else {
        if (ttl.showsExpired) shown.push(this.#show(entry));
        this.#column.remove(cell, entry);
      }
    }
    cell.entries = kept;
    if (kept.length === 0) this.#column.dropIfWhole(cell);
    return shown;
  }

  #show(entry: StoredEntry<T>): DeepReadonly<T> {
    this.#column.table.touch(entry);
    return entry.value as DeepReadonly<T>;
  }
}
