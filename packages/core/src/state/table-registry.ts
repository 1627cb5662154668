import { incompatible } from './entry-reader.ts';
import { type TableRecord, tableId } from './run-format.ts';
import type { TableDescription } from './snapshot.ts';
import { DuplicateStateError } from './state-errors.ts';
import type { DeclaredTable, StateTable } from './state-table.ts';
import { ValueSizes } from './value-sizes.ts';

/** A table as its owner describes it. */
export type TableSpec = Omit<StateTable, 'id'>;

// D1. A state that a job does not declare any more is dropped with its first snapshot. Nothing of
//     it is read or written for that: the list of tables says so, in this snapshot and all later
//     ones. If its name is declared again, the table gets a new id, by its generation, so what the
//     runs hold under the old one is found by nobody.

/** The tables of a store: what is declared, and what the restored snapshot had. */
export class TableRegistry {
  readonly #restored: ReadonlyMap<string, TableDescription>;
  readonly #operatorUid: string;
  readonly #byId = new Map<number, DeclaredTable>();

  constructor(restored: readonly TableDescription[], operatorUid: string) {
    this.#restored = new Map(restored.map((table) => [table.name, table]));
    this.#operatorUid = operatorUid;
  }

  /** @throws DuplicateStateError StateIncompatibleError if what is stored is of another kind */
  declare(spec: TableSpec): DeclaredTable {
    const { name } = spec;
    const stored = this.#restored.get(name);
    const generation = (stored?.generation ?? 0) + (stored?.isDropped === true ? 1 : 0);
    const id = tableId(name, generation);
    this.#checkUnique(name, id);
    if (stored !== undefined && stored.isDropped !== true && stored.kind !== spec.kind) {
      this.#refuse(name, `its kind was "${stored.kind}" and is now "${spec.kind}"`);
    }
    for (const stored of this.#versions(name, spec.version)) this.#checkVersion(spec, stored);
    const table = { ...spec, id, generation, sizes: new ValueSizes() };
    this.#byId.set(id, table);
    return table;
  }

  /** All declared tables, as they stand in a run. */
  records(): TableRecord[] {
    return [...this.#byId.values()].map(({ id, name, kind, order, generation }) => ({
      id,
      name,
      kind,
      order,
      ...(generation === 0 ? {} : { generation }),
    }));
  }

  /** What a snapshot says: all declared tables, and those that were dropped (D1). */
  descriptions(): TableDescription[] {
    const tables: TableDescription[] = [];
    const declared = new Set<string>();
    for (const { name, kind, version, generation } of this.#byId.values()) {
      declared.add(name);
      const versions = this.#versions(name, version);
      tables.push({
        name,
        kind,
        version,
        ...(versions.length === 1 ? {} : { versions }),
        ...(generation === 0 ? {} : { generation }),
      });
    }
    for (const table of this.#restored.values()) {
      if (!declared.has(table.name)) tables.push({ ...table, isDropped: true });
    }
    return tables;
  }

  /** Bytes of all values and entries in memory. */
  heldBytes(): number {
    let bytes = 0;
    for (const { sizes } of this.#byId.values()) bytes += sizes.held;
    return bytes;
  }

  // What is not touched stays in the version it was written in.
  #versions(name: string, version: number): number[] {
    const stored = this.#restored.get(name);
    if (stored === undefined || stored.isDropped === true) return [version];
    const all = new Set([...(stored.versions ?? [stored.version]), version]);
    return [...all].sort((a, b) => a - b);
  }

  // Ids are hashes: two names with one id could not be told apart, declared or stored.
  #checkUnique(name: string, id: number): void {
    const known = this.#byId.get(id);
    if (known !== undefined) {
      throw new DuplicateStateError(
        `operator "${this.#operatorUid}" has two states "${known.name}" and "${name}"` +
          ' that cannot be told apart',
        { operatorUid: this.#operatorUid, state: name },
        { hint: 'Give one of them another name.' },
      );
    }
    for (const stored of this.#restored.values()) {
      if (stored.name === name || tableId(stored.name, stored.generation) !== id) continue;
      this.#refuse(name, `its name was "${stored.name}" and is now "${name}"`);
    }
  }

  #checkVersion({ name, version, migrate }: TableSpec, stored: number): void {
    if (stored === version || (stored < version && migrate !== undefined)) return;
    const what = stored > version ? '' : ' and no migrate';
    this.#refuse(name, `it was stored as version ${stored}, the job declares ${version}${what}`);
  }

  #refuse(name: string, reason: string): never {
    throw incompatible(this.#operatorUid, name, reason);
  }
}
