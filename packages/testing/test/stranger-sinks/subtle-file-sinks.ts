// Sinks that write files, each wrong in one place.
import type {
  CommitOutcome,
  Committer,
  Environment,
  FileSystem,
  Sink,
  SinkContext,
} from '@millrace/core/connector';

/** Where finished files of these sinks stand. */
export const DIRECTORY = '/out';
const STAGING = '/out/.staging';

interface Part {
  readonly name: string;
}

interface Mistakes {
  /** Names the checkpoint alone, not who writes. */
  readonly sharedNames?: boolean;
  /** Does not sync the content of a file. */
  readonly unsynced?: boolean;
  /** Does not sync the folder after the rename that makes a file visible. */
  readonly unsyncedCommit?: boolean;
  /** Keeps a file open over two checkpoints, and recovers by deleting all that is unfinished. */
  readonly deletesLive?: boolean;
}

export function fileSinkWith(mistakes: Mistakes): Sink<string, Part, Part> {
  return {
    name: 'stranger-files',
    delivery: 'exactly-once',
    createWriter: (context, restored) => new Writer(context, restored, mistakes),
    createCommitter: ({ environment }) => committer(environment, mistakes),
    async recover({ environment: { fileSystem } }) {
      if (!mistakes.deletesLive) return;
      for (const { name } of await fileSystem.list(STAGING)) {
        await fileSystem.delete(`${STAGING}/${name}`);
      }
    },
  };
}

class Writer {
  readonly #context: SinkContext;
  readonly #mistakes: Mistakes;
  readonly #restored: readonly Part[];
  #rows: string[] = [];
  #epochs = 0;
  #staging: Promise<void> | null = null;

  constructor(context: SinkContext, restored: readonly Part[], mistakes: Mistakes) {
    this.#context = context;
    this.#restored = restored;
    this.#mistakes = mistakes;
  }

  write(row: string): void {
    this.#rows.push(row);
  }

  ready(): null {
    return null;
  }

  endInput(): void {
    this.#epochs = 1;
  }

  prepareCommit(checkpointId: number) {
    const { generation, attempt, subtaskIndex, environment } = this.#context;
    const owner = this.#mistakes.sharedNames ? '' : `${generation}.${attempt}.`;
    const part = { name: `${owner}${subtaskIndex}.${checkpointId}` };
    const rows = this.#rows;
    const restored = this.#epochs === 0 ? this.#restored : [];
    const staysOpen = this.#mistakes.deletesLive && ++this.#epochs % 2 === 1;
    if (!staysOpen) this.#rows = [];
    return async () => {
      const old: string[] = [];
      for (const { name } of restored) old.push(...(await rowsOf(environment.fileSystem, name)));
      if (rows.length + old.length === 0) return { committables: [], writerStates: [] };
      await this.#stage(part, [...old, ...rows]);
      return staysOpen
        ? { committables: [], writerStates: [part] }
        : { committables: [part], writerStates: [] };
    };
  }

  async close(): Promise<void> {}

  async #stage({ name }: Part, rows: readonly string[]): Promise<void> {
    const { fileSystem } = this.#context.environment;
    this.#staging ??= fileSystem.makeDirectory(STAGING);
    await this.#staging;
    const file = await fileSystem.create(`${STAGING}/${name}`);
    await file.write(new TextEncoder().encode(rows.map((row) => `${row}\n`).join('')));
    if (!this.#mistakes.unsynced) await file.sync();
    await file.close();
    await fileSystem.syncDirectory(STAGING);
  }
}

function committer({ fileSystem }: Environment, { unsyncedCommit }: Mistakes): Committer<Part> {
  return {
    async commit(parts) {
      const outcomes: CommitOutcome[] = [];
      for (const { name } of parts) {
        const isStaged = (await fileSystem.stat(`${STAGING}/${name}`)) !== null;
        if (isStaged) await fileSystem.rename(`${STAGING}/${name}`, `${DIRECTORY}/${name}`);
        if (!unsyncedCommit) await fileSystem.syncDirectory(DIRECTORY);
        outcomes.push({ kind: isStaged ? 'committed' : 'alreadyCommitted' });
      }
      return outcomes;
    },
    async close() {},
  };
}

async function rowsOf(fileSystem: FileSystem, name: string): Promise<string[]> {
  const text = new TextDecoder().decode(await fileSystem.readFile(`${STAGING}/${name}`));
  return text.split('\n').filter((row) => row !== '');
}
