import type { EntryTableSpec } from './entry-table.ts';
import type { ValueSizes } from './value-sizes.ts';

/** A table: a per-key state, or one whose index its owner keeps. */
export interface StateTable {
  readonly id: number;
  readonly name: string;
  readonly kind: EntryTableSpec<unknown>['kind'];
  readonly order: 'key' | 'sub';
  readonly version: number;
  readonly migrate: ((old: unknown, oldVersion: number) => unknown) | undefined;
}

/** A table of a store. */
export interface DeclaredTable extends StateTable {
  /** How often a state of that name was dropped and declared again; part of `id`. */
  readonly generation: number;
  /** What its values take in memory. */
  readonly sizes: ValueSizes;
}
