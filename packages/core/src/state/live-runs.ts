import { assert } from '../base/assert.ts';
import type { RunReference } from './snapshot.ts';

/**
 * The runs that hold the sealed state of one store, newest first: a newer entry hides an older one.
 * One writer of runs adds, one compactor replaces; whoever reads looks at `version` to notice.
 */
export class LiveRuns {
  #newestFirst: readonly RunReference[];
  #version = 0;

  constructor(restored: readonly RunReference[]) {
    this.#newestFirst = [...restored];
  }

  /** A list that never changes: later changes make a new one. */
  get newestFirst(): readonly RunReference[] {
    return this.#newestFirst;
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  /** A run is durable and readable; it is newer than all others. */
  add(run: RunReference): void {
    this.#newestFirst = [run, ...this.#newestFirst];
    this.#version++;
  }

  /** Neighbours have been merged into `merged` (or into nothing). */
  replace(picked: readonly RunReference[], merged: RunReference | null): void {
    const at = this.#newestFirst.indexOf(picked[0]!);
    assert(
      at >= 0 && picked.every((run, i) => this.#newestFirst[at + i] === run),
      'what is replaced stands together in the list',
    );
    const list = [...this.#newestFirst];
    list.splice(at, picked.length, ...(merged === null ? [] : [merged]));
    this.#newestFirst = list;
    this.#version++;
  }
}
