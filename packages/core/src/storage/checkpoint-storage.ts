/**
 * Named immutable objects: the only thing checkpoints, savepoints and the log of slots are kept in.
 *
 * Names are relative, of parts joined by `/`, each part `[A-Za-z0-9._-]+`, never `.` or `..`; no
 * object's name is a prefix directory of another's. Nothing is ever overwritten. A list is
 * strongly consistent: it shows every put that has resolved and no delete that has.
 *
 * Errors are `StorageError`s: `StorageNotFoundError`, `StorageFullError`,
 * `StoragePermissionError`, or `StorageUnavailableError` (retry: backoff; the outcome of the call
 * may be unknown). Every driver passes `storageConformance` (storage/conformance.ts).
 */
export interface CheckpointStorage {
  /** For messages: a path or URL, without credentials. */
  readonly location: string;

  /**
   * Whether `createIfAbsent` really has one winner. Without it exactly-once is refused unless the
   * user vouches for a single writer.
   */
  readonly hasConditionalCreate: boolean;

  /**
   * Writes a new object, durable when the promise resolves. The caller makes sure that the name
   * is unused: what happens to an existing object is not defined.
   */
  put(name: string, chunks: readonly Uint8Array[]): Promise<void>;

  /**
   * Creates the object only if no object of that name exists; durable when it resolves.
   *
   * @returns `created`, or `exists` if another one won (its content is then readable)
   */
  createIfAbsent(name: string, data: Uint8Array): Promise<'created' | 'exists'>;

  /** @throws StorageNotFoundError */
  get(name: string): Promise<Uint8Array>;

  /**
   * Bytes `offset` (>= 0) to `offset + length`; fewer if the object ends before.
   *
   * @throws StorageNotFoundError
   */
  getRange(name: string, offset: number, length: number): Promise<Uint8Array>;

  /**
   * `getRange` at once, blocking the thread. Only drivers that can do so cheaply have it: disk and
   * memory. Others are read through a local copy, or through a thread that blocks for them.
   *
   * @throws StorageNotFoundError
   */
  getRangeNow?(name: string, offset: number, length: number): Uint8Array;

  /** All objects whose name begins with `prefix`, in ascending order of name. */
  list(prefix: string): Promise<StoredObject[]>;

  /** Removes the object; nothing happens if there is none. */
  delete(name: string): Promise<void>;

  /**
   * Removes what writers that died left behind under no object's name. A put or create of a living
   * writer may fail by it, with StorageUnavailableError; to be called by whoever has just taken
   * the directory over. A driver that leaves nothing behind has no such method.
   */
  removeLeftovers?(): Promise<void>;

  /** Releases what the driver holds; no call may follow. */
  close(): Promise<void>;
}

/** An object as `list` shows it. */
export interface StoredObject {
  readonly name: string;
  readonly sizeBytes: number;
}
