import type { StoredFiles, View } from './stored-files.ts';

/** A slot of the log, read without any code of the engine. */
export interface SlotOnDisk {
  readonly sequence: number;
  readonly kind: 'claim' | 'checkpoint';
  readonly generation: number;
  readonly isFresh: boolean;
  readonly checkpointId: number;
  readonly manifest: string;
  readonly writer: string;
}

/** Where a run lies, and what it holds. */
export interface RunOnDisk {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  readonly crc32: number;
  readonly keyGroups: { readonly first: number; readonly last: number };
  readonly entries: number;
}

/** What a manifest holds, as far as checks look at it. */
export interface ManifestOnDisk {
  readonly checkpointId: number;
  /** Of who wrote it: a sleeper may leave one under the name of one that is complete and gone. */
  readonly generation: number;
  /** Runs that stand in it, by name, in base64. */
  readonly inlineRuns?: Readonly<Record<string, string>>;
  readonly operators: Readonly<
    Record<
      string,
      {
        readonly subtasks: readonly {
          readonly keyed: {
            readonly runs: readonly RunOnDisk[];
          } | null;
          readonly lists: readonly {
            readonly name: string;
            readonly redistribution: string;
            readonly elements: readonly unknown[];
          }[];
        }[];
      }
    >
  >;
}

/** The job's directory as it lies in the storage: an independent look, for checks. */
export class StoredCheckpoints {
  readonly files: StoredFiles;
  readonly #directory: string;
  readonly #parsed = new WeakMap<Uint8Array, unknown>();

  /** @param directory of the job: `<checkpoint directory>/<job name>` */
  constructor(files: StoredFiles, directory: string) {
    this.files = files;
    this.#directory = directory;
  }

  /** All readable slots in ascending order. */
  slots(view: View): SlotOnDisk[] {
    return this.files
      .names(`${this.#directory}/log`, view)
      .filter((name) => /^\d+\.json$/.test(name))
      .sort()
      .flatMap((name) => {
        const slot = this.#json(`${this.#directory}/log/${name}`, view);
        return slot === null
          ? []
          : [{ ...(slot as SlotOnDisk), sequence: Number.parseInt(name, 10) }];
      });
  }

  /** Complete checkpoints that count: their owner's claim is the last one before them. */
  complete(view: View): SlotOnDisk[] {
    let owner: number | null = null;
    let complete: SlotOnDisk[] = [];
    let before = -1;
    for (const slot of this.slots(view)) {
      if (slot.sequence !== before + 1) {
        owner = null;
        complete = [];
      }
      before = slot.sequence;
      if (slot.kind === 'claim') {
        owner = slot.generation;
        if (slot.isFresh) complete = [];
      } else if (slot.generation === owner) {
        complete.push(slot);
      }
    }
    return complete;
  }

  /** The complete checkpoint with the greatest id. */
  latest(view: View): SlotOnDisk | null {
    return this.complete(view).reduce<SlotOnDisk | null>(
      (latest, slot) =>
        latest === null || slot.checkpointId > latest.checkpointId ? slot : latest,
      null,
    );
  }

  manifest(slot: SlotOnDisk, view: View): ManifestOnDisk | null {
    return this.#json(this.pathOf(slot.manifest), view) as ManifestOnDisk | null;
  }

  /** A savepoint's manifest is named by its path, others are below the job's directory. */
  pathOf(name: string): string {
    return name.startsWith('/') ? name : `${this.#directory}/${name}`;
  }

  /** The runs of a manifest that are in files. */
  runsInFiles({ operators, inlineRuns = {} }: ManifestOnDisk): RunOnDisk[] {
    return Object.values(operators)
      .flatMap(({ subtasks }) => subtasks.flatMap(({ keyed }) => keyed?.runs ?? []))
      .filter(({ file }) => !Object.hasOwn(inlineRuns, file));
  }

  /** The directory that the names of a checkpoint's runs are relative to. */
  rootOf(slot: SlotOnDisk): string {
    return this.pathOf(slot.manifest).replace(/\/(?:chk-\d+\/)?manifest\.json$/, '');
  }

  /** Names of all files, relative to the job's directory, sorted. */
  names(): string[] {
    return this.files.below(this.#directory).sort();
  }

  // null: not there, or cut off. Parsed once per content.
  #json(path: string, view: View): unknown {
    const bytes = this.files.bytes(path, view);
    if (bytes === null) return null;
    const known = this.#parsed.get(bytes);
    if (known !== undefined) return known;
    let value: unknown = null;
    try {
      value = JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      // Torn or being written: it does not count.
    }
    this.#parsed.set(bytes, value);
    return value;
  }
}
