import type { WindowElement } from '../../function/window.ts';
import type { Entry, EntryTable } from '../../state/entry-table.ts';
import type { WindowCell } from './window-cells.ts';

/** Some records of a window in the order of arrival, stored as one entry. */
export interface Chunk {
  readonly values: unknown[];
  /** NaN where a record has none. */
  readonly timestamps: number[];
}

/**
 * Records of a chunk. 64: an append encodes at most this many records again at the next
 * checkpoint, and the cost of an entry (about 100 bytes) is shared by as many.
 */
const CHUNK_CAPACITY = 64;

/** The records of windows that need all of them: entries (key, [window, n]) of up to 64 each. */
export class ElementBuffer {
  readonly #table: EntryTable<Chunk>;

  constructor(table: EntryTable<Chunk>) {
    this.#table = table;
  }

  append(cell: WindowCell, value: unknown, timestampMs: number): void {
    const last = cell.chunks[cell.chunks.length - 1];
    if (last !== undefined && last.value.values.length < CHUNK_CAPACITY) {
      this.#table.write(last);
      last.value.values.push(value);
      last.value.timestamps.push(timestampMs);
      return;
    }
    const number = last === undefined ? 0 : numberOf(last) + 1;
    const chunk: Chunk = { values: [value], timestamps: [timestampMs] };
    const sub = [cell.sub!, number] as const;
    cell.chunks.push(this.#table.create(cell.key, cell.keyGroup, sub, chunk));
  }

  /** All records, in the order of arrival. O(records). */
  elements(cell: WindowCell): WindowElement<unknown>[] {
    const elements: WindowElement<unknown>[] = [];
    for (const { value: chunk } of cell.chunks) {
      for (let i = 0; i < chunk.values.length; i++) {
        elements.push({ value: chunk.values[i], timestampMs: chunk.timestamps[i]! });
      }
    }
    return elements;
  }

  /** All values, in the order of arrival. O(records). */
  values(cell: WindowCell): unknown[] {
    return cell.chunks.flatMap((entry) => entry.value.values);
  }

  isEmpty(cell: WindowCell): boolean {
    return cell.chunks.length === 0;
  }

  clear(cell: WindowCell): void {
    for (const entry of cell.chunks) this.#table.remove(entry);
    cell.chunks.length = 0;
  }

  replace(cell: WindowCell, elements: readonly WindowElement<unknown>[]): void {
    this.clear(cell);
    for (const { value, timestampMs } of elements) this.append(cell, value, timestampMs);
  }

  /** Gives the restored records to their cells. Once, before the first record. */
  restore(cellOf: (entry: Entry<Chunk>) => WindowCell): void {
    const touched = new Set<WindowCell>();
    this.#table.restored((entry) => {
      const cell = cellOf(entry);
      cell.chunks.push(entry);
      touched.add(cell);
    });
    for (const cell of touched) cell.chunks.sort((a, b) => numberOf(a) - numberOf(b));
  }
}

/** The window part of a chunk's address. */
export function windowOf(entry: Entry<Chunk>): number {
  return (entry.sub as readonly [number, number])[0];
}

function numberOf(entry: Entry<Chunk>): number {
  return (entry.sub as readonly [number, number])[1];
}
