import {
  Batch,
  type EnumeratorContext,
  NO_TIMESTAMP,
  type ReaderContext,
  type SourceBatch,
  type SourceReader,
  type SourceSplit,
  type SplitEnumerator,
} from '@millrace/core/connector';
import type { Script, ScriptElement } from './scripted-stream.ts';

/** A split of a script and the next element to read. */
export interface ScriptedSplit extends SourceSplit {
  readonly offset: number;
}

/** Gives each subtask, when it asks, all of its splits: every `parallelism`-th one. */
export class ScriptedEnumerator
  implements SplitEnumerator<ScriptedSplit, readonly ScriptedSplit[]>
{
  readonly #context: EnumeratorContext<ScriptedSplit>;
  #pending: ScriptedSplit[];

  constructor(context: EnumeratorContext<ScriptedSplit>, splits: readonly ScriptedSplit[]) {
    this.#context = context;
    this.#pending = [...splits];
  }

  start(): void {}

  onSplitRequest(subtaskIndex: number): void {
    const { parallelism } = this.#context;
    const isOwn = ({ splitId }: ScriptedSplit) => Number(splitId) % parallelism === subtaskIndex;
    const own = this.#pending.filter(isOwn);
    this.#pending = this.#pending.filter((split) => !isOwn(split));
    if (own.length > 0) this.#context.assignSplits(subtaskIndex, own);
    this.#context.signalNoMoreSplits(subtaskIndex);
  }

  addSplitsBack(splits: readonly ScriptedSplit[]): void {
    this.#pending.push(...splits);
  }

  snapshot(): readonly ScriptedSplit[] {
    return [...this.#pending];
  }

  close(): void {}
}

interface Reading {
  split: ScriptedSplit;
  /** To be said again after a restore. */
  replay: ScriptElement | undefined;
  pausedUntilMs: number;
  isExhausted: boolean;
}

/** Reads splits of a script in turn, one element per batch. */
export class ScriptedReader implements SourceReader<ScriptElement, ScriptedSplit> {
  readonly #context: ReaderContext;
  readonly #script: Script;
  readonly #onExhausted: (splitId: string) => void;
  #reading: Reading[] = [];
  #finished: string[] = [];
  #noMore = false;
  #isNew = false;
  #wake: () => void = () => {};

  constructor(context: ReaderContext, script: Script, onExhausted: (splitId: string) => void) {
    this.#context = context;
    this.#script = script;
    this.#onExhausted = onExhausted;
  }

  poll(): SourceBatch | 'wait' | 'end' {
    this.#isNew = false;
    for (let tries = this.#reading.length; tries > 0; tries--) {
      const reading = this.#reading.shift()!;
      this.#reading.push(reading);
      const element = this.#next(reading);
      if (element === undefined) continue;
      const timestampMs = element.kind === 'record' ? element.timestampMs : NO_TIMESTAMP;
      return { splitId: reading.split.splitId, batch: Batch.of([element], [timestampMs]) };
    }
    if (this.#reading.length === 0) {
      // Also if the script stays: a subtask without splits would hold back the others for ever.
      if (this.#noMore) return 'end';
      this.#context.requestSplits();
    }
    return 'wait';
  }

  available(): Promise<void> {
    if (this.#isNew) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
      const pauses = this.#reading.map((reading) => reading.pausedUntilMs);
      const untilMs = Math.min(...pauses.filter((ms) => ms > this.#nowMs()));
      if (untilMs === Number.POSITIVE_INFINITY) return;
      this.#context.environment.scheduler.after(untilMs - this.#nowMs(), resolve);
    });
  }

  addSplits(splits: readonly ScriptedSplit[]): void {
    for (const split of splits) {
      const read = this.#elements(split).slice(0, split.offset);
      const replay = read.findLast((element) => element.kind === 'watermark');
      this.#reading.push({ split, replay, pausedUntilMs: 0, isExhausted: false });
    }
    this.#news();
  }

  noMoreSplits(): void {
    this.#noMore = true;
    this.#news();
  }

  snapshot(): ScriptedSplit[] {
    return this.#reading.map((reading) => reading.split);
  }

  finishedSplits(): readonly string[] {
    const finished = this.#finished;
    this.#finished = [];
    return finished;
  }

  async close(): Promise<void> {
    this.#wake();
  }

  #next(reading: Reading): ScriptElement | undefined {
    const { split, replay } = reading;
    if (replay !== undefined) {
      reading.replay = undefined;
      return replay;
    }
    if (reading.pausedUntilMs > this.#nowMs()) return undefined;
    const element = this.#elements(split)[split.offset];
    if (element === undefined) {
      this.#exhaust(reading);
      return undefined;
    }
    reading.split = { ...split, offset: split.offset + 1 };
    if (element.kind !== 'pause') return element;
    reading.pausedUntilMs = this.#nowMs() + element.ms;
    return undefined;
  }

  #exhaust(reading: Reading): void {
    if (reading.isExhausted) return;
    reading.isExhausted = true;
    const { splitId } = reading.split;
    this.#onExhausted(splitId);
    if (this.#script.end === 'stay') return; // it keeps its position, and holds the watermark
    this.#reading = this.#reading.filter((one) => one !== reading);
    this.#finished.push(splitId);
  }

  #elements(split: ScriptedSplit): readonly ScriptElement[] {
    return this.#script.splits[Number(split.splitId)]!;
  }

  #nowMs(): number {
    return this.#context.environment.clock.nowMs();
  }

  #news(): void {
    this.#isNew = true;
    this.#wake();
  }
}
