import {
  assert,
  type CheckpointId,
  type PreparedCommit,
  type SinkContext,
  type SinkWriter,
} from '@millrace/core/connector';
import { Handover } from '../handover.ts';
import type { FileSinkOptions } from './file-sink.ts';
import { writeError } from './file-sink-errors.ts';
import { encodeRecord } from './output-format.ts';
import { PartFile, type PartFileContext } from './part-file.ts';
import { checkBucket, partName, type StagedPart, stagingFolder } from './part-name.ts';
import { type OpenPart, PartRoller } from './part-roller.ts';

const DEFAULT_MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/** What the writer hands over for a checkpoint. */
export type PreparedParts = PreparedCommit<StagedPart, StagedPart>;

/**
 * Writes parts into the staging folder. The roller says which part takes a record and when a part
 * is closed; a checkpoint is given the parts closed so far (to commit) and the lengths of those
 * that are open (to go on with).
 *
 * W1. What a committable or a state names is durable, name and content, before it is handed over.
 * W2. A restored part is copied up to its length into a file of this attempt; the file of the dead
 *     attempt is neither written nor deleted here.
 */
export class FileWriter<T> implements SinkWriter<T, StagedPart, StagedPart> {
  readonly #options: FileSinkOptions<T>;
  readonly #context: SinkContext;
  readonly #roller: PartRoller;
  readonly #files = new Map<number, PartFile>();
  readonly #closed = new Handover<PartFile>();
  readonly #finishing = new Set<Promise<void>>();
  readonly #staging: string;
  readonly #maxBufferedBytes: number;
  readonly #fileContext: PartFileContext;
  readonly #bucketContext: { timestampMs: number; nowMs(): number };
  #bufferedBytes = 0;
  #failure: unknown = null;
  #restoring: Promise<unknown> | null = null;
  #waiters: (() => void)[] = [];

  constructor(options: FileSinkOptions<T>, context: SinkContext, restored: readonly StagedPart[]) {
    const { clock, fileSystem } = context.environment;
    this.#options = options;
    this.#context = context;
    this.#roller = new PartRoller(options.rolling ?? {});
    this.#staging = stagingFolder(options.directory, context);
    this.#maxBufferedBytes = options.maxBufferedBytes ?? DEFAULT_MAX_BUFFERED_BYTES;
    this.#bucketContext = { timestampMs: Number.NaN, nowMs: () => clock.nowMs() };
    this.#fileContext = {
      fileSystem,
      operatorUid: context.operatorUid,
      inFlight: (bytes) => this.#onInFlight(bytes),
      failed: (error) => this.#onFailure(error),
    };
    for (const part of restored) this.#restore(part);
    if (restored.length > 0) this.#waitForRestored();
    context.metrics.gauge('bufferedBytes', () => this.#bufferedBytes);
  }

  write(value: T, timestampMs: number): void {
    if (this.#failure !== null) throw this.#failure;
    const { bucket: bucketOf, format } = this.#options;
    const nowMs = this.#bucketContext.nowMs();
    this.#bucketContext.timestampMs = timestampMs;
    const bucket = bucketOf === undefined ? '' : checkBucket(bucketOf(value, this.#bucketContext));
    const data = encodeRecord(format, value, timestampMs);
    const choice = this.#roller.partFor(bucket, nowMs);
    if (choice.closed !== null) this.#finish(choice.closed);
    const file = choice.isNew
      ? this.#create(choice.part, null)
      : this.#files.get(choice.part.counter)!;
    this.#roller.wrote(bucket, file.write(data), nowMs);
  }

  ready(): Promise<void> | null {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#restoring === null && this.#bufferedBytes <= this.#maxBufferedBytes) return null;
    return new Promise<void>((resolve) => this.#waiters.push(resolve)).then(() => {
      if (this.#failure !== null) throw this.#failure;
    });
  }

  prepareCommit(checkpointId: CheckpointId): () => Promise<PreparedParts> {
    for (const part of this.#roller.onCheckpoint()) this.#finish(part);
    const take = this.#closed.cut(checkpointId);
    const open = this.#roller.open.map((part) => {
      const file = this.#files.get(part.counter)!;
      file.flush();
      return { file, state: { ...file.part, sizeBytes: file.sizeBytes } };
    });
    return async () => {
      if (this.#failure !== null) throw this.#failure;
      const closed = take();
      await Promise.all([
        ...closed.map((file) => file.finish()),
        ...open.map(({ file }) => file.sync()),
      ]);
      if (closed.length + open.length > 0) await this.#syncStaging();
      return {
        committables: closed.map((file) => ({ ...file.part, sizeBytes: file.sizeBytes })),
        writerStates: open.map(({ state }) => state),
      };
    };
  }

  onTick(nowMs: number): void {
    for (const part of this.#roller.onTick(nowMs)) this.#finish(part);
  }

  endInput(): void {
    for (const part of this.#roller.endInput()) this.#finish(part);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.abandon()));
    await Promise.all(this.#finishing);
    this.#files.clear();
  }

  #restore(part: StagedPart): void {
    const { bucket, sizeBytes, createdAtMs } = part;
    const restored = this.#roller.restore(bucket, sizeBytes, createdAtMs);
    this.#create(restored.part, part);
    if (!restored.isOpen) this.#finish(restored.part);
  }

  #create(part: OpenPart, prefixOf: StagedPart | null): PartFile {
    const { directory, format, prefix = 'part', suffix = format.suffix } = this.#options;
    const file = new PartFile(
      this.#fileContext,
      {
        directory,
        bucket: part.bucket,
        name: partName(this.#context, part.counter, prefix, suffix),
        staging: this.#staging,
        sizeBytes: part.sizeBytes,
        createdAtMs: part.createdAtMs,
      },
      prefixOf,
    );
    this.#files.set(part.counter, file);
    if (prefixOf === null && format.header !== undefined) {
      this.#roller.wrote(part.bucket, file.write(format.header), part.createdAtMs);
    }
    return file;
  }

  // Begins at once, so that the work is done when the checkpoint comes.
  #finish(part: OpenPart): void {
    const file = this.#files.get(part.counter);
    assert(file !== undefined, 'an open part has a file');
    this.#files.delete(part.counter);
    this.#closed.add(file);
    const finishing = file.finish().then(
      () => void this.#finishing.delete(finishing),
      () => void this.#finishing.delete(finishing), // reported through `failed`
    );
    this.#finishing.add(finishing);
  }

  async #syncStaging(): Promise<void> {
    try {
      await this.#context.environment.fileSystem.syncDirectory(this.#staging);
    } catch (error) {
      throw writeError(this.#staging, error, this.#context.operatorUid);
    }
  }

  // Nothing new is taken in before the copies are made: a lost part fails the job at its start.
  #waitForRestored(): void {
    const copies = [...this.#files.values()].map((file) => file.sync());
    this.#restoring = Promise.all([...copies, ...this.#finishing]).then(
      () => this.#onRestored(),
      () => this.#onRestored(),
    );
  }

  #onRestored(): void {
    this.#restoring = null;
    this.#wake();
  }

  #onInFlight(bytes: number): void {
    this.#bufferedBytes += bytes;
    if (this.#bufferedBytes <= this.#maxBufferedBytes / 2) this.#wake();
  }

  #onFailure(error: unknown): void {
    this.#failure ??= error;
    this.#wake();
  }

  #wake(): void {
    if (this.#failure === null && this.#restoring !== null) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
