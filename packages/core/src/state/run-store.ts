import type { RunReference } from './snapshot.ts';

/** A sealed run, ready to be written: header, sections and footer as they stand in the file. */
export interface EncodedRun {
  readonly chunks: readonly Uint8Array[];
  readonly length: number;
  readonly crc32: number;
  readonly firstKeyGroup: number;
  readonly lastKeyGroup: number;
  readonly entries: number;
}

/**
 * Where runs are kept. The host may put the runs of several operators into one object, so a run
 * must be readable at any offset.
 */
export interface RunStore {
  /** @returns the reference, when the run is durable */
  write(run: EncodedRun): Promise<RunReference>;
  /** Bytes `offset` to `offset + length` of the run; the caller owns them (may transfer them). */
  read(reference: RunReference, offset: number, length: number): Promise<Uint8Array>;
  /**
   * The same at once: from a local copy if there is one, else by a blocking read of the storage.
   * The bytes may be shared: not to be changed or transferred.
   */
  readNow(reference: RunReference, offset: number, length: number): Uint8Array;
}
