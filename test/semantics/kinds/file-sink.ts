import { fileSink } from '../../../packages/connectors/src/file-sink/file-sink.ts';
import {
  finishedPath,
  parseStagedName,
  type StagedPart,
} from '../../../packages/connectors/src/file-sink/part-name.ts';
import type { RollingPolicy } from '../../../packages/connectors/src/file-sink/part-roller.ts';
import type { SinkContext, SinkWriter } from '../../../packages/core/src/function/sink.ts';
import { MetricGroup } from '../../../packages/core/src/metrics/registry.ts';
import type { DiskDirectory } from '../../../packages/testing/src/environment/virtual-disk.ts';
import { VirtualEnvironment } from '@millrace/testing';
import { type CaseKind, type Data, dataOf, notSupported, numberOf, onlyKnown } from '../case.ts';
import { stepVariant } from '../step-case.ts';

/** Flink's default time between two looks at the age of parts. */
const DEFAULT_CHECK_MS = 60_000;
const DIRECTORY = 'out';

/** Parts of files: when they are closed, committed, and what a crash leaves. */
export const fileSinkKind: CaseKind = {
  name: 'fileSink',
  variants: (testCase) => [
    stepVariant(
      testCase,
      async () => {
        const run = new FileSinkRun(dataOf(testCase.job.fileSink));
        await run.start([]);
        return (step, nowMs) => run.step(step, nowMs);
      },
      { clockIsAStep: true },
    ),
  ],
};

interface FileRecord {
  readonly value: string;
  readonly bytes: number;
  readonly bucket: string;
}

interface Prepared {
  readonly checkpointId: number;
  readonly committables: readonly StagedPart[];
  readonly writerStates: readonly StagedPart[];
}

interface Snapshot extends Omit<Prepared, 'checkpointId'> {
  readonly written: readonly FileRecord[];
}

function rollingOf(rolling: Data): RollingPolicy {
  if (rolling.kind === 'onCheckpoint') return 'onCheckpoint';
  if (rolling.kind !== 'default') return notSupported(`rolling ${String(rolling.kind)}`);
  const limits = Object.entries(rolling).filter(([name]) => name !== 'kind');
  return Object.fromEntries(limits.map(([name, limit]) => [name, numberOf(limit)]));
}

class FileSinkRun {
  readonly #environment = new VirtualEnvironment({ clock: 'manual', maxDelayMs: 0 });
  readonly #sink;
  readonly #checkMs: number;
  readonly #checkpointing: boolean;
  #attempt = 0;
  #writer!: SinkWriter<FileRecord, StagedPart, StagedPart>;
  #prepared: Prepared[] = [];
  /** Written into the state that counts, by bucket; what is not in a closed part is in progress. */
  #written: FileRecord[] = [];
  /** What each snapshot holds: its states, and all committables that were not confirmed then. */
  readonly #snapshots = new Map<number, Snapshot>();
  #nextCheckMs: number;

  constructor(job: Data) {
    onlyKnown(job, 'fileSink', 'rolling', 'checkMs', 'checkpointing');
    this.#checkMs = numberOf(job.checkMs ?? DEFAULT_CHECK_MS);
    this.#nextCheckMs = this.#checkMs;
    this.#checkpointing = job.checkpointing !== false;
    this.#sink = fileSink<FileRecord>({
      directory: DIRECTORY,
      rolling: rollingOf(dataOf(job.rolling)),
      bucket: (record) => record.bucket,
      format: {
        name: 'padded lines',
        suffix: '.txt',
        encode: ({ value, bytes }) => `${value.padEnd(bytes - 1)}\n`,
      },
    });
  }

  async start(restored: readonly StagedPart[]): Promise<void> {
    this.#attempt++;
    this.#writer = this.#sink.createWriter(this.#context(), restored);
    await this.#settle();
  }

  async step(step: Data, nowMs: number): Promise<readonly Data[]> {
    if (step.record !== undefined) {
      const record = dataOf(step.record) as unknown as FileRecord;
      this.#written.push(record);
      this.#writer.write(record, Number.NaN);
      await this.#settle();
      return [];
    }
    if (step.clock !== undefined) return this.#advance(nowMs);
    if (step.checkpoint !== undefined) return this.#checkpoint(numberOf(step.checkpoint));
    if (step.notifyComplete !== undefined) {
      return this.#complete(numberOf(step.notifyComplete));
    }
    if (step.notifyAborted !== undefined) return [];
    if (step.crashRestore !== undefined) return this.#restore(numberOf(step.crashRestore));
    if (step.endInput === 'drain') return this.#end();
    if (step.inspectFiles === true) return [{ files: this.#files() }];
    return notSupported(`step ${JSON.stringify(step)}`);
  }

  async #advance(nowMs: number): Promise<readonly Data[]> {
    for (; this.#nextCheckMs <= nowMs; this.#nextCheckMs += this.#checkMs) {
      await this.#environment.advanceTo(this.#nextCheckMs);
      this.#writer.onTick?.(this.#nextCheckMs);
      await this.#settle();
    }
    await this.#environment.advanceTo(nowMs);
    return [];
  }

  async #checkpoint(checkpointId: number): Promise<readonly Data[]> {
    const persist = this.#writer.prepareCommit(checkpointId);
    const prepared = await this.#environment.runUntil(persist());
    this.#prepared.push({ checkpointId, ...prepared });
    this.#snapshots.set(checkpointId, {
      committables: this.#prepared.flatMap((one) => one.committables),
      writerStates: prepared.writerStates,
      written: [...this.#written],
    });
    return [];
  }

  async #complete(checkpointId: number): Promise<readonly Data[]> {
    const due = this.#prepared.filter((one) => one.checkpointId <= checkpointId);
    this.#prepared = this.#prepared.filter((one) => one.checkpointId > checkpointId);
    return this.#commit(due.flatMap((one) => one.committables));
  }

  async #commit(parts: readonly StagedPart[]): Promise<readonly Data[]> {
    if (parts.length === 0) return [];
    const committer = this.#sink.createCommitter!(this.#context());
    const outcomes = await this.#environment.runUntil(committer.commit(parts));
    for (const outcome of outcomes) {
      if (outcome.kind === 'committed' || outcome.kind === 'alreadyCommitted') continue;
      throw new Error(`commit: ${JSON.stringify(outcome)}`);
    }
    const committed = parts.map((part) => ({
      bucket: part.bucket,
      records: this.#records(finishedPath(part)),
    }));
    return [{ committed: inOrder(committed) }];
  }

  // The process dies: what the snapshot lists is committed, the rest is swept, writing goes on.
  async #restore(checkpointId: number): Promise<readonly Data[]> {
    const snapshot = this.#snapshots.get(checkpointId);
    if (snapshot === undefined) return notSupported(`no snapshot ${checkpointId}`);
    this.#attempt++;
    const items = await this.#commit(snapshot.committables);
    const recovered = this.#sink.recover?.(this.#context(), snapshot.writerStates);
    await this.#environment.runUntil(recovered ?? Promise.resolve());
    this.#prepared = [];
    this.#written = [...snapshot.written];
    await this.start(snapshot.writerStates);
    return items;
  }

  async #end(): Promise<readonly Data[]> {
    this.#writer.endInput?.();
    await this.#settle();
    if (this.#checkpointing) return [];
    await this.#checkpoint(1);
    return this.#complete(1);
  }

  // Records of an open part may still be in memory, so they are told by what is in no closed one.
  #files(): Data {
    const open = new Map(this.#written.map(({ bucket }) => [bucket, [] as string[]]));
    for (const { bucket, value } of this.#written) open.get(bucket)!.push(value);
    let waiting = 0;
    let openParts = 0;
    for (const [path, name] of this.#paths()) {
      if (name.endsWith('.inprogress')) {
        // One of a dead attempt stays until the checkpoint that was restored has gone.
        if (parseStagedName(name)?.attempt === this.#attempt) openParts++;
        continue;
      }
      if (name.endsWith('.pending')) waiting++;
      const records = this.#records(path);
      const bucket = this.#written.find(({ value }) => value === records[0])!.bucket;
      open.set(bucket, open.get(bucket)!.slice(records.length));
    }
    const inProgress = [...open].filter(([, records]) => records.length > 0);
    if (inProgress.length !== openParts) return { openParts, inProgress, waiting };
    return { inProgress: inOrder(inProgress.map(asPart)), waiting };
  }

  #paths(): [path: string, name: string][] {
    const paths: [string, string][] = [];
    const visit = (directory: DiskDirectory, path: string): void => {
      for (const [name, node] of directory.names) {
        if (node.kind === 'directory') visit(node, `${path}/${name}`);
        else paths.push([`${path}/${name}`, name]);
      }
    };
    const root = this.#environment.disk.find(DIRECTORY);
    if (root?.kind === 'directory') visit(root, DIRECTORY);
    return paths;
  }

  #records(path: string): string[] {
    const text = new TextDecoder().decode(this.#environment.disk.file(path).content);
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => line.trimEnd());
  }

  async #settle(): Promise<void> {
    await this.#environment.runReady();
    const ready = this.#writer.ready();
    if (ready !== null) await this.#environment.runUntil(ready);
  }

  #context(): SinkContext {
    return {
      environment: this.#environment,
      jobName: 'case',
      instanceId: 'instance',
      generation: 1,
      attempt: this.#attempt,
      operatorUid: 'files',
      subtaskIndex: 0,
      parallelism: 1,
      metrics: new MetricGroup(),
    };
  }
}

function asPart([bucket, records]: readonly [string, readonly string[]]): Data {
  return { bucket, records };
}

function inOrder(parts: readonly Data[]): Data[] {
  const text = (part: Data): string => JSON.stringify(part);
  return [...parts].sort((a, b) => (text(a) < text(b) ? -1 : 1));
}
