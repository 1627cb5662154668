import type { StateChange } from './state-changes.ts';

/** What becomes of a state, in words: one line without its end. */
export function changeText(change: StateChange): string {
  const { operatorUid, state, storedVersions, version, error } = change;
  const name = state === null ? `${operatorUid}: all its state` : `${operatorUid}.${state}:`;
  switch (change.change) {
    case 'kept':
      return `${name} kept${version === null ? '' : ` (version ${version})`}`;
    case 'migrated': {
      const older = storedVersions.filter((stored) => stored !== version);
      const word = older.length === 1 ? 'version' : 'versions';
      return `${name} ${word} ${older.join(', ')} -> ${version}, migrated when read`;
    }
    case 'new':
      return `${name} new, begins empty`;
    case 'dropped':
      return `${name} dropped`;
    case 'refused':
      return `${name} REFUSED: ${error?.message ?? ''}`;
  }
}

/** What is worth telling whoever starts a job: not what stays as it is, nor what is Millrace's. */
export function noteworthyChanges(changes: readonly StateChange[]): readonly StateChange[] {
  return changes.filter(
    ({ change, isInternal }) => change !== 'kept' && !(change === 'new' && isInternal),
  );
}
