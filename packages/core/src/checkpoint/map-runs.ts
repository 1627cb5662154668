import type { RunReference } from '../state/snapshot.ts';
import type { Manifest, OperatorManifest } from './manifest.ts';

/** The same manifest with other references to its runs, in the same order. */
export function mapRuns<M extends Pick<Manifest, 'operators'>>(
  manifest: M,
  change: (run: RunReference) => RunReference,
): M {
  const operators = Object.entries(manifest.operators).map(([uid, operator]) => {
    const subtasks = operator.subtasks.map((subtask) => {
      const { keyed } = subtask;
      if (keyed === null) return subtask;
      return { ...subtask, keyed: { ...keyed, runs: keyed.runs.map(change) } };
    });
    const changed: OperatorManifest = { ...operator, subtasks };
    return [uid, changed] as const;
  });
  return { ...manifest, operators: Object.fromEntries(operators) };
}
