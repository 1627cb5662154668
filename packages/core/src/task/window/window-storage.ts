import { assert } from '../../base/assert.ts';
import type { Key } from '../../element/key.ts';
import { isMerging } from '../../function/window-assigners.ts';
import type { Trigger, Window } from '../../function/window.ts';
import type { WindowSpec } from '../../graph/operator-spec.ts';
import type { StateDescriptors, StateHandles } from '../../state/descriptors.ts';
import type { Entry, EntryTable, EntryTableSpec } from '../../state/entry-table.ts';
import type { KeyedStateStore } from '../../state/keyed-state-store.ts';
import { ElementBuffer, windowOf, type Chunk } from './element-buffer.ts';
import { CellIndex, CellSlot, WindowCell } from './window-cells.ts';
import { GLOBAL_WINDOW } from './window-assignment.ts';
import { type CurrentCell, windowStateHandles } from './window-state.ts';

/** Address of the global window's entries below the key. */
const GLOBAL_SUB = 0;

/**
 * The tables of the general path, and the cells made of their entries.
 *
 * | table            | address below the key       | value                          |
 * |------------------|-----------------------------|--------------------------------|
 * | window-contents  | window                      | accumulator                    |
 * | window-elements  | [window, n]                 | up to 64 records               |
 * | window-bounds    | window (sessions only)      | the session's end              |
 * | trigger/<name>   | window                      | a state of the trigger         |
 * | window-state/<n> | window                      | a state of the window function |
 *
 * where `window` is the end of an aligned window, the start of a session, 0 for the global one.
 */
export class WindowStorage {
  readonly accumulators: CellSlot;
  readonly elements: ElementBuffer;
  /** States of the trigger by name. */
  readonly triggerSlots = new Map<string, CellSlot>();
  readonly #windowSlots = new Map<string, CellSlot>();
  readonly #slots: CellSlot[] = [];
  readonly #bounds: EntryTable<number> | null;
  readonly #index = new CellIndex();
  readonly #spec: WindowSpec;
  readonly #store: KeyedStateStore;
  readonly #triggerStates: StateDescriptors;
  readonly #windowStates: StateDescriptors;

  constructor(spec: WindowSpec, trigger: Trigger, store: KeyedStateStore) {
    this.#spec = spec;
    this.#store = store;
    this.#triggerStates = trigger.state ?? {};
    const merging = isMerging(spec.assigner);
    this.#windowStates = merging ? {} : (spec.windowFunction?.state ?? {});
    const table = <V>(name: string, kind: EntryTableSpec<V>['kind']): EntryTable<V> =>
      store.table<V>({ name, kind, order: merging ? 'key' : 'sub' });
    const slot = (name: string, kind: EntryTableSpec<unknown>['kind']): CellSlot => {
      const made = new CellSlot(table<unknown>(name, kind), this.#slots.length);
      this.#slots.push(made);
      return made;
    };
    this.#bounds = merging ? table<number>('window-bounds', 'window') : null;
    this.accumulators = slot('window-contents', 'window');
    this.elements = new ElementBuffer(table<Chunk>('window-elements', 'window'));
    for (const name of Object.keys(this.#triggerStates)) {
      this.triggerSlots.set(name, slot(`trigger/${name}`, 'trigger'));
    }
    for (const name of Object.keys(this.#windowStates)) {
      this.#windowSlots.set(name, slot(`window-state/${name}`, 'window'));
    }
  }

  triggerHandles(current: CurrentCell): StateHandles<StateDescriptors> {
    const slotOf = (name: string): CellSlot => this.triggerSlots.get(name)!;
    return windowStateHandles(this.#triggerStates, current, slotOf);
  }

  windowHandles(current: CurrentCell): StateHandles<StateDescriptors> {
    const slotOf = (name: string): CellSlot => this.#windowSlots.get(name)!;
    return windowStateHandles(this.#windowStates, current, slotOf);
  }

  /** Makes the cells of the restored entries. Once, before the first record. O(entries). */
  restore(): void {
    this.#bounds?.restored((entry) => {
      const window = { startMs: entry.sub as number, endMs: entry.value };
      const cell = new WindowCell(entry.key, entry.keyGroup, entry.sub, window);
      cell.bounds = entry;
      this.#setSessions(cell.key, [...this.#index.sessions(cell.key), cell]);
    });
    for (const slot of this.#slots) {
      slot.restore((entry) => this.#restoredCell(entry, entry.sub as number));
    }
    this.elements.restore((entry) => this.#restoredCell(entry, windowOf(entry)));
  }

  /** The cell of an aligned or global window of the store's current key, made if there is none. */
  cellOf(key: Key, window: Window): WindowCell {
    const found = this.#index.find(key, window.endMs);
    return found ?? this.#newCell(key, this.#store.currentKeyGroup(), window);
  }

  /** The same by the address of the window. */
  cellAt(key: Key, sub: number): WindowCell {
    return this.cellOf(key, this.#windowAt(sub));
  }

  /** The live sessions of a key, in no order. */
  sessions(key: Key): readonly WindowCell[] {
    return this.#index.sessions(key);
  }

  findSession(key: Key, [startMs, endMs]: readonly [number, number]): WindowCell | null {
    for (const cell of this.#index.sessions(key)) {
      if (cell.window.startMs === startMs && cell.window.endMs === endMs) return cell;
    }
    return null;
  }

  /** A session of the store's current key. */
  addSession(key: Key, window: Window): WindowCell {
    const keyGroup = this.#store.currentKeyGroup();
    assert(this.#bounds !== null, 'only sessions have bounds');
    const cell = new WindowCell(key, keyGroup, window.startMs, window);
    cell.bounds = this.#bounds.create(key, keyGroup, window.startMs, window.endMs);
    this.#setSessions(key, [...this.#index.sessions(key), cell]);
    return cell;
  }

  /** The session ends later than it did. */
  growSession(cell: WindowCell, window: Window): void {
    this.#bounds!.write(cell.bounds!);
    cell.bounds!.value = window.endMs;
    cell.window = window;
    cell.forgetTimers();
  }

  /** Removes everything that is stored for the cell. */
  drop(cell: WindowCell): void {
    for (const slot of this.#slots) slot.clear(cell);
    this.elements.clear(cell);
    if (cell.bounds === null) {
      this.#index.remove(cell);
      return;
    }
    this.#bounds!.remove(cell.bounds);
    cell.bounds = null;
    this.#setSessions(
      cell.key,
      this.#index.sessions(cell.key).filter((other) => other !== cell),
    );
  }

  /** A cell that nothing is stored for costs no memory (G5). For aligned and global windows. */
  forgetIfEmpty(cell: WindowCell): void {
    if (cell.isEmpty()) this.#index.remove(cell);
  }

  #newCell(key: Key, keyGroup: number, window: Window): WindowCell {
    const sub = this.#spec.assigner.kind === 'global' ? GLOBAL_SUB : window.endMs;
    const cell = new WindowCell(key, keyGroup, sub, window);
    this.#index.put(cell);
    return cell;
  }

  #restoredCell(entry: Entry<unknown>, sub: number): WindowCell {
    if (this.#bounds === null) {
      const window = this.#windowAt(sub);
      const found = this.#index.find(entry.key, window.endMs);
      return found ?? this.#newCell(entry.key, entry.keyGroup, window);
    }
    const cell = this.#index.sessions(entry.key).find(({ window }) => window.startMs === sub);
    assert(cell !== undefined, 'a session with contents has bounds');
    return cell;
  }

  #windowAt(sub: number): Window {
    const { assigner } = this.#spec;
    const aligned = assigner.kind === 'tumbling' || assigner.kind === 'sliding';
    return aligned ? { startMs: sub - assigner.sizeMs, endMs: sub } : GLOBAL_WINDOW;
  }

  #setSessions(key: Key, cells: WindowCell[]): void {
    this.#index.setSessions(key, cells);
  }
}
