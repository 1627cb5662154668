import { type CaseKind, NotSupportedError, type SemanticsCase } from './case.ts';
import { describeError, differences } from './compare.ts';
import { alignerKind } from './kinds/aligner.ts';
import { asyncKind } from './kinds/async.ts';
import { broadcastKind } from './kinds/broadcast.ts';
import { committerKind } from './kinds/committer.ts';
import { coordinatorKind, retentionKind } from './kinds/coordinator.ts';
import { fileSinkKind } from './kinds/file-sink.ts';
import { intervalJoinKind, windowJoinKind } from './kinds/joins.ts';
import { keyGroupsKind } from './kinds/key-groups.ts';
import { coProcessKind, processKind } from './kinds/process.ts';
import { redistributeKind } from './kinds/redistribute.ts';
import { restartKind } from './kinds/restart.ts';
import {
  alignmentKind,
  generatorKind,
  splitWatermarksKind,
  valveKind,
} from './kinds/watermarks.ts';
import { windowKind } from './kinds/window.ts';

/** All kinds of jobs that the runner knows. */
export const KINDS: readonly CaseKind[] = [
  windowKind,
  processKind,
  coProcessKind,
  intervalJoinKind,
  windowJoinKind,
  broadcastKind,
  asyncKind,
  valveKind,
  generatorKind,
  splitWatermarksKind,
  alignmentKind,
  keyGroupsKind,
  redistributeKind,
  alignerKind,
  coordinatorKind,
  retentionKind,
  restartKind,
  fileSinkKind,
  committerKind,
];

/** What became of a case. */
export interface CaseResult {
  readonly id: string;
  readonly area: string;
  readonly outcome: 'passed' | 'failed' | 'notSupported';
  /** Ways it was run in. */
  readonly variants: number;
  /** Why it failed or is not supported. */
  readonly lines: readonly string[];
}

/** @returns the cases of a file: one JSON object per line, empty lines left out */
export function parseCases(text: string): SemanticsCase[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => JSON.parse(line) as SemanticsCase);
}

/** Runs a case in every way its kind knows; the first way that fails, fails the case. */
export async function runCase(testCase: SemanticsCase): Promise<CaseResult> {
  const { id, area, job } = testCase;
  const kind = KINDS.find(({ name }) => name in job);
  if (kind === undefined) {
    const lines = [`kind of job ${Object.keys(job).join(', ')}`];
    return { id, area, outcome: 'notSupported', variants: 0, lines };
  }
  let variants = 0;
  try {
    for (const variant of kind.variants(testCase)) {
      variants++;
      const lines = differences(testCase, await variant.run());
      if (lines.length === 0) continue;
      return { id, area, outcome: 'failed', variants, lines: [`(${variant.name})`, ...lines] };
    }
    return { id, area, outcome: 'passed', variants, lines: [] };
  } catch (error) {
    const unknown = unknownWord(error);
    if (unknown !== null) {
      return { id, area, outcome: 'notSupported', variants, lines: [unknown] };
    }
    return { id, area, outcome: 'failed', variants, lines: [describeError(error)] };
  }
}

// An unknown command is found by a function of the job, so it may come wrapped.
function unknownWord(error: unknown): string | null {
  if (error instanceof NotSupportedError) return error.message;
  return error instanceof Error && error.cause !== undefined ? unknownWord(error.cause) : null;
}
