/**
 * Named immutable objects: the only thing checkpoints, savepoints and the log of slots are kept in.
 *
 * Names are relative, of parts joined by `/`, each part `[A-Za-z0-9._-]+`, never `.` or `..`; no
 * object's name is a prefix directory of another's. Nothing is ever overwritten. A list is
 * strongly consistent: it shows every put that has resolved and no delete that has.
 *
 * Errors are `StorageError`s (storage/storage-errors.ts). Their `retry` says what the caller may
 * do; after a `StorageUnavailableError` the outcome of the call may be unknown. Drivers that reach
 * their storage over a network repeat by themselves what may be repeated, and a server that hangs
 * is a `StorageUnavailableError` within the time that the driver states: no call waits for ever.
 *
 * Every call takes an `AbortSignal`. Once it is aborted the call rejects soon, with
 * `signal.reason`; whether a write had its effect is then unknown. Memory and disk look at the
 * signal before they begin and between chunks.
 *
 * Every driver passes `storageConformance` (storage/conformance.ts).
 */
export interface CheckpointStorage {
  /** For messages: a path or URL, without credentials. */
  readonly location: string;

  /**
   * Whether `createIfAbsent` really has one winner. Without it exactly-once is refused unless the
   * user vouches for a single writer. Drivers that cannot know it try it when they are opened
   * (`probeConditionalCreate`).
   */
  readonly hasConditionalCreate: boolean;

  /**
   * How to open the same storage in another thread, which may then block for it. Left out where
   * `getRangeNow` is there, and where the driver was opened with what no other thread can have.
   */
  readonly opener?: StorageOpener;

  /**
   * Writes a new object, durable when the promise resolves. The caller makes sure that the name
   * is unused: what happens to an existing object is not defined.
   *
   * The object is seen as a whole or not at all: a put that failed leaves nothing under the name
   * or, after a StorageUnavailableError, perhaps all of it.
   */
  put(name: string, chunks: readonly Uint8Array[], options?: StorageCallOptions): Promise<void>;

  /**
   * `put` of what need not fit in memory: takes chunks of any size as fast as they are stored, and
   * holds no more than a few parts of them. The bytes of a chunk must not change afterwards.
   *
   * If `chunks` throws, the call rejects with that very error and there is no object. The stream
   * is read once: who repeats the call makes a new one.
   */
  putStream(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    options?: StorageCallOptions,
  ): Promise<void>;

  /**
   * Creates the object only if no object of that name exists; durable when it resolves.
   *
   * @returns `created`, or `exists` if another one won (its content is then readable)
   */
  createIfAbsent(
    name: string,
    data: Uint8Array,
    options?: StorageCallOptions,
  ): Promise<'created' | 'exists'>;

  /** @throws StorageNotFoundError */
  get(name: string, options?: StorageCallOptions): Promise<Uint8Array>;

  /**
   * Bytes `offset` (>= 0) to `offset + length`; fewer if the object ends before, none if it ends
   * before `offset`. A length beyond the end costs nothing.
   *
   * @throws StorageNotFoundError
   */
  getRange(
    name: string,
    offset: number,
    length: number,
    options?: StorageCallOptions,
  ): Promise<Uint8Array>;

  /**
   * `getRange` at once, blocking the thread. Only drivers that can do so cheaply have it: disk and
   * memory. Others are read through a local copy, or through a thread that blocks for them.
   *
   * @throws StorageNotFoundError
   */
  getRangeNow?(name: string, offset: number, length: number): Uint8Array;

  /** All objects whose name begins with `prefix`, in ascending order of name, however many. */
  list(prefix: string, options?: StorageCallOptions): Promise<StoredObject[]>;

  /** Removes the object; nothing happens if there is none. */
  delete(name: string, options?: StorageCallOptions): Promise<void>;

  /**
   * Removes all these objects, in no order, with as few calls as the storage can do. Names of
   * objects that are not there do no harm. After a failure some are removed: repeat the call.
   */
  deleteAll(names: readonly string[], options?: StorageCallOptions): Promise<void>;

  /**
   * Removes what writers that died left behind under no object's name. A put or create of a living
   * writer may fail by it, with StorageUnavailableError; to be called by whoever has just taken
   * the directory over. A driver that leaves nothing behind has no such method.
   */
  removeLeftovers?(options?: StorageCallOptions): Promise<void>;

  /** Releases what the driver holds; no call may follow. */
  close(): Promise<void>;
}

/** What every call takes. */
export interface StorageCallOptions {
  /** Ends the call early. */
  readonly signal?: AbortSignal;
}

/** An object as `list` shows it. */
export interface StoredObject {
  readonly name: string;
  readonly sizeBytes: number;
}

/**
 * How to open a storage somewhere else: plain data, so that it can be posted to a thread. There
 * `(await import(module))[exportName](options)` is a promise of a `CheckpointStorage`.
 */
export interface StorageOpener {
  /** URL of a module. */
  readonly module: string;
  readonly exportName: string;
  /** Structured-cloneable. May hold credentials: never to be logged or stored. */
  readonly options: unknown;
}
