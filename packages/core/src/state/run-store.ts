import type { RunCompression } from './run-writer.ts';
import type { RunReference } from './snapshot.ts';

/** A sealed run, ready to be written: header, sections and footer as they stand in the file. */
export interface EncodedRun {
  readonly chunks: readonly Uint8Array[];
  readonly length: number;
  readonly crc32: number;
  readonly firstKeyGroup: number;
  readonly lastKeyGroup: number;
  readonly entries: number;
  /** Keys and bodies of all entries, before compression. */
  readonly entryBytes?: number;
}

/**
 * Where runs are kept. The host may put the runs of several operators into one object, so a run
 * must be readable at any offset.
 */
export interface RunStore {
  /**
   * How runs for this store are packed: `none` where reading is cheap (a local disk), `zstd` where
   * bytes travel. Left out: `zstd`.
   */
  readonly compression?: RunCompression;
  /**
   * @param isMerged it was made of older runs: told apart in figures
   * @returns the reference, when the run is durable; held as by `hold`
   */
  write(run: EncodedRun, isMerged?: boolean): Promise<RunReference>;
  /** Bytes `offset` to `offset + length` of the run; the caller owns them (may transfer them). */
  read(reference: RunReference, offset: number, length: number): Promise<Uint8Array>;
  /**
   * The same at once: from a local copy if there is one, else by a blocking read of the storage.
   * The bytes may be shared: not to be changed or transferred.
   */
  readNow(reference: RunReference, offset: number, length: number): Uint8Array;
  /**
   * The run is in use: it is in a list of live runs, or somebody reads it. As often as it is held
   * it must be let go, then it may be deleted when no checkpoint refers to it either. What `write`
   * returned is held by its caller, what was restored by nobody. Left out: nothing is deleted.
   */
  hold?(reference: RunReference): void;
  /** The inverse of `hold`: the run is neither read nor named in a later snapshot by its holder. */
  letGo?(reference: RunReference): void;
}
