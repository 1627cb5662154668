import { type DataStream, type Flow, punctuated } from '@millrace/core';
import type { Source } from '@millrace/core/connector';
import type { HarnessInput } from '../operator/harness-elements.ts';
import { ScriptedEnumerator, ScriptedReader, type ScriptedSplit } from './scripted-reader.ts';

/** What a split of a script can hold. */
export type ScriptElement =
  | (HarnessInput & { kind: 'record' })
  | (HarnessInput & { kind: 'watermark' })
  | { readonly kind: 'pause'; readonly ms: number };

/** Nothing comes for so long, on the clock of the environment. */
export function pause(ms: number): ScriptElement {
  return { kind: 'pause', ms };
}

/** A source that says exactly what it is told to. */
export interface Script {
  /** Read in order each; dealt out to the subtasks of the source. */
  readonly splits: readonly (readonly ScriptElement[])[];
  /**
   * `finish` (default): the source ends after its last element, so event time runs to its end.
   * `stay`: it is silent from then on, and the job runs until it is stopped.
   */
  readonly end?: 'finish' | 'stay';
  /**
   * Subtasks of the source. Default: the job's. Between two of them nothing is in order, so a
   * record of one may overtake a watermark of another.
   */
  readonly parallelism?: number;
  /** Everything has been read, perhaps by a restored job that had nothing left to read. */
  readonly onExhausted?: () => void;
}

/**
 * The records of a script, with its timestamps and watermarks. A restored job gets the last
 * watermark before its position again, so that a crash does not show in event time.
 *
 * @param uid of the source
 */
export function scriptedStream<T>(flow: Flow, uid: string, script: Script): DataStream<T> {
  const elements = flow.from(uid, scriptedSource(script)).eventTime({
    strategy: punctuated((element) => (element.kind === 'watermark' ? element.timeMs : undefined)),
  });
  const records = elements.flatMap((element): readonly T[] =>
    element.kind === 'record' ? [element.value as T] : [],
  );
  if (script.parallelism === undefined) return records;
  elements.parallelism(script.parallelism);
  return records.parallelism(script.parallelism);
}

/** The source alone: its records are the script's elements, one per batch. */
export function scriptedSource(
  script: Script,
): Source<ScriptElement, ScriptedSplit, readonly ScriptedSplit[]> {
  const exhausted = new Set<string>();
  return {
    name: 'script',
    boundedness: script.end === 'stay' ? 'continuous' : 'bounded',
    delivery: 'exactly-once',
    createEnumerator(context, restored) {
      const fresh = script.splits.map((_, index) => ({ splitId: String(index), offset: 0 }));
      return new ScriptedEnumerator(context, restored ?? fresh);
    },
    createReader: (context) =>
      new ScriptedReader(context, script, (splitId) => {
        exhausted.add(splitId);
        if (exhausted.size === script.splits.length) script.onExhausted?.();
      }),
  };
}
