import type { StoredCheckpoints } from './stored-checkpoints.ts';

/**
 * Explains every file of a job's directory after a recovery that has ended.
 *
 * @returns names of the files that nothing needs
 */
export function unexplainedFiles(stored: StoredCheckpoints): string[] {
  const explained = new Set<string>();
  const slots = stored.slots('content');
  // The unbroken row up to the highest; what is before a gap is nobody's.
  for (let i = slots.length - 1; i >= 0; i--) {
    explained.add(`log/${String(slots[i]!.sequence).padStart(10, '0')}.json`);
    if (i > 0 && slots[i - 1]!.sequence !== slots[i]!.sequence - 1) break;
  }
  for (const slot of stored.complete('content')) {
    const manifest = stored.manifest(slot, 'content');
    if (manifest === null) continue; // deleted by retention; its slot goes later
    explained.add(slot.manifest);
    for (const { file } of stored.runsInFiles(manifest)) explained.add(file);
  }
  return stored.names().filter((name) => !explained.has(name));
}
