import type {
  Cancel,
  CheckpointId,
  EnumeratorContext,
  SplitEnumerator,
} from '@millrace/core/connector';
import { type DiscoveryOptions, discoverFiles } from './file-discovery.ts';
import type { FileSplit, FoundFile } from './file-split.ts';
import { SeenFiles, type SeenPaths } from './seen-files.ts';

/** What is left to assign, and what has been found. */
export interface FileEnumeratorState {
  readonly pending: readonly FileSplit[];
  readonly seen: SeenPaths;
  /** A bounded source looks once. */
  readonly isDiscovered: boolean;
}

/** How an enumerator works. */
export interface FileEnumeratorOptions extends DiscoveryOptions {
  /** null: look once. */
  readonly discoverEveryMs: number | null;
  splitsOf(file: FoundFile): FileSplit[];
}

/**
 * Finds files and deals out their splits, one per request, in the order of the paths.
 *
 *   looking --found--> (continuous: after discoverEveryMs) looking
 *              |
 *              +--bounded--> done: who asks when nothing is left is told so
 *
 * E1. Files become seen, pending and assigned in one turn: a snapshot holds a split in the pending
 *     ones or in the reader's, never in none.
 */
export class FileEnumerator implements SplitEnumerator<FileSplit, FileEnumeratorState> {
  readonly #context: EnumeratorContext<FileSplit>;
  readonly #options: FileEnumeratorOptions;
  readonly #seen: SeenFiles;
  readonly #pending: FileSplit[];
  readonly #waiting = new Set<number>();
  #isDiscovered: boolean;
  #isClosed = false;
  #cancel: Cancel = () => {};

  constructor(
    context: EnumeratorContext<FileSplit>,
    options: FileEnumeratorOptions,
    restored: FileEnumeratorState | undefined,
  ) {
    this.#context = context;
    this.#options = options;
    this.#seen = new SeenFiles(restored?.seen);
    this.#pending = [...(restored?.pending ?? [])];
    this.#isDiscovered = restored?.isDiscovered ?? false;
  }

  start(): void {
    if (!this.#isDiscovered) void this.#discover();
  }

  onSplitRequest(subtaskIndex: number): void {
    this.#waiting.add(subtaskIndex);
    this.#assign();
  }

  addSplitsBack(splits: readonly FileSplit[]): void {
    this.#pending.unshift(...splits);
    this.#assign();
  }

  snapshot(_checkpointId: CheckpointId): FileEnumeratorState {
    return {
      pending: [...this.#pending],
      seen: this.#isDiscovered ? [] : this.#seen.snapshot(),
      isDiscovered: this.#isDiscovered,
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  async #discover(): Promise<void> {
    const { fileSystem, scheduler } = this.#context.environment;
    const { discoverEveryMs } = this.#options;
    try {
      const options = { ...this.#options, operatorUid: this.#context.operatorUid };
      const found = await discoverFiles(fileSystem, options, (path) => this.#seen.has(path));
      if (this.#isClosed) return;
      for (const file of found) {
        if (this.#seen.has(file.path)) continue; // named and in the directory
        this.#seen.add(file.path);
        this.#pending.push(...this.#options.splitsOf(file));
      }
      this.#isDiscovered = discoverEveryMs === null;
      this.#assign();
      if (discoverEveryMs === null) return;
      this.#cancel = scheduler.after(discoverEveryMs, () => void this.#discover());
    } catch (error) {
      if (!this.#isClosed) this.#context.fail(error);
    }
  }

  #assign(): void {
    for (const subtaskIndex of [...this.#waiting]) {
      const split = this.#pending.shift();
      if (split === undefined && !this.#isDiscovered) return;
      this.#waiting.delete(subtaskIndex);
      if (split === undefined) this.#context.signalNoMoreSplits(subtaskIndex);
      else this.#context.assignSplits(subtaskIndex, [split]);
    }
  }
}
