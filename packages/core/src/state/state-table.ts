import type { EntryTableSpec } from './entry-table.ts';

/** A declared table of the store: a per-key state, or a table whose index its owner keeps. */
export interface StateTable {
  readonly id: number;
  readonly name: string;
  readonly kind: EntryTableSpec<unknown>['kind'];
  readonly order: 'key' | 'sub';
  readonly version: number;
  readonly migrate: ((old: unknown, oldVersion: number) => unknown) | undefined;
}
