import { changeText, type Manifest, type StateChange } from '@millrace/core/checkpoint';
import { formatTime } from '../progress/figures.ts';

/** What a restore would do, for people: what matters first, Millrace's own state last. */
export function restoreText(manifest: Manifest, changes: readonly StateChange[]): string {
  const { kind, checkpointId, jobName, completedAtMs } = manifest;
  const lines = [
    `restored from ${kind} ${checkpointId} of job "${jobName}" (${formatTime(completedAtMs)} UTC)`,
  ];
  const own = changes.filter((change) => !change.isInternal);
  for (const what of ['refused', 'dropped', 'migrated', 'new', 'kept'] as const) {
    for (const change of own) if (change.change === what) lines.push(...linesOf(change));
  }
  const internal = changes.filter((change) => change.isInternal);
  const odd = internal.filter(({ change }) => change !== 'kept' && change !== 'new');
  lines.push(...odd.flatMap(linesOf));
  const kept = internal.filter(({ change }) => change === 'kept').length;
  const states = kept === 1 ? '1 state' : `${kept} states`;
  if (kept > 0) lines.push(`  Millrace's own (positions, windows, timers): ${states} kept`);
  if (changes.some(({ change }) => change === 'refused')) {
    lines.push('  The job cannot be restored from it: it would refuse to start.');
  }
  return `${lines.join('\n')}\n`;
}

function linesOf(change: StateChange): string[] {
  const hint = change.error?.hint;
  return [`  ${changeText(change)}`, ...(hint === undefined ? [] : [`    hint: ${hint}`])];
}

/** The same as data. */
export function restoreData(manifest: Manifest, changes: readonly StateChange[]): object {
  const { kind, checkpointId, jobName, completedAtMs } = manifest;
  return {
    snapshot: { kind, checkpointId, jobName, completedAtMs },
    changes: changes.map(({ error, ...change }) => ({
      ...change,
      error: error === null ? null : { code: error.code, message: error.message, hint: error.hint },
    })),
  };
}
