import { assert } from '../base/assert.ts';
import { ValueDecoder } from '../codec/value-decoder.ts';
import type { Key } from '../element/key.ts';
import type { DirtyLog } from './dirty-log.ts';
import type { RestoredEntry, RestoredRuns } from './restored-runs.ts';
import { guarded } from './run-damage.ts';
import { StateIncompatibleError } from './state-errors.ts';
import type { StateTable } from './state-table.ts';
import { decodeAddress, decodeBody } from './stored-body.ts';
import { StoredEntry } from './stored-entry.ts';

/** A decoded entry of a run, in the form that the job declares. */
export interface RestoredValue {
  readonly key: Key;
  readonly keyGroup: number;
  readonly sub: Key | undefined;
  readonly value: unknown;
  readonly expiresAtMs: number;
  readonly rank: number;
  /** It was of an older version: written again with the next snapshot. */
  readonly isMigrated: boolean;
}

/** Gives declared tables what the restored runs hold for them. */
export class TableRestorer {
  readonly #restored: RestoredRuns | null;
  readonly #log: DirtyLog;
  readonly #operatorUid: string;
  readonly #decoder: ValueDecoder | null;
  #isDropped = false;

  constructor(restored: RestoredRuns | null, log: DirtyLog, operatorUid: string) {
    this.#restored = restored;
    this.#log = log;
    this.#operatorUid = operatorUid;
    this.#decoder = restored === null ? null : new ValueDecoder(restored.shapes);
  }

  /** @throws StateIncompatibleError if the stored table is another one than the declared */
  check(table: StateTable): void {
    const stored = this.#restored?.tables.get(table.id);
    if (stored === undefined) return;
    for (const field of ['name', 'kind', 'order'] as const) {
      if (stored[field] === table[field]) continue;
      this.#fail(table, `its ${field} was "${stored[field]}" and is now "${table[field]}"`);
    }
  }

  /**
   * Decodes the entries of a table that have not expired, by key group and in its order.
   *
   * @throws StateIncompatibleError CorruptRunError
   */
  restore(table: StateTable, accept: (value: RestoredValue) => void): void {
    if (this.#restored === null) return;
    assert(!this.#isDropped, 'tables are declared before the first freeze');
    const nowMs = this.#log.nowMs();
    this.#restored.take(table.id, (entry) => {
      const value = guarded(entry.file, entry.fileOffset, () => this.#decode(table, entry));
      if (value.expiresAtMs > nowMs) accept(value);
    });
  }

  /** The same as entries of the store. */
  restoreEntries<V>(table: StateTable, accept: (entry: StoredEntry<V>) => void): void {
    this.restore(table, ({ key, keyGroup, sub, value, expiresAtMs, rank, isMigrated }) => {
      const entry = new StoredEntry<V>(
        table,
        key,
        keyGroup,
        sub,
        value as V, // what the table's owner wrote, or its `migrate` made
        expiresAtMs,
        rank,
        isMigrated ? this.#log.epoch : 0,
        isMigrated ? this.#log.nextSequence() : 0,
      );
      entry.isKnown = true;
      if (isMigrated) this.#log.listEntry(entry);
      accept(entry);
    });
  }

  /** Ends what nobody declared, so that it cannot come back when its name is used again. */
  dropUndeclared(): void {
    if (this.#restored === null || this.#isDropped) return;
    this.#isDropped = true;
    for (const id of [...this.#restored.tableIds()]) {
      this.#restored.take(id, ({ keyGroup, key }) => {
        this.#log.open.stream.putRawTombstone(keyGroup, key, this.#log.nextSequence());
      });
    }
  }

  #decode(table: StateTable, entry: RestoredEntry): RestoredValue {
    const { reader, flags, keyGroup } = entry;
    const { key, sub } = decodeAddress(reader, table.order);
    const body = decodeBody(reader, flags, this.#decoder!);
    const isMigrated = body.version !== table.version;
    return {
      key,
      sub,
      keyGroup,
      expiresAtMs: body.expiresAtMs,
      rank: body.rank,
      value: isMigrated ? this.#migrate(table, body.value, body.version) : body.value,
      isMigrated,
    };
  }

  #migrate(table: StateTable, stored: unknown, version: number): unknown {
    if (version > table.version) {
      this.#fail(table, `it was stored as version ${version}, the job declares ${table.version}`);
    }
    if (table.migrate === undefined) {
      this.#fail(
        table,
        `it was stored as version ${version}, the job declares ${table.version} and no migrate`,
      );
    }
    try {
      return table.migrate(stored, version);
    } catch (cause) {
      return this.#fail(table, `migrate failed for a value of version ${version}`, cause);
    }
  }

  #fail(table: StateTable, reason: string, cause?: unknown): never {
    throw new StateIncompatibleError(
      `could not restore state "${table.name}" of operator "${this.#operatorUid}": ${reason}`,
      { operatorUid: this.#operatorUid, state: table.name, reason },
      {
        hint: 'Give the state a `migrate` for the stored version, or another name.',
        ...(cause === undefined ? {} : { cause }),
      },
    );
  }
}
