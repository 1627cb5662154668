import { MemoryStorage } from '../storage/memory-storage.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';

/** What the storage of the test does; posted to the thread. */
export interface BedOptions {
  readonly objects: ReadonlyMap<string, Uint8Array>;
  /** `refuse`: it cannot be opened. `hang`: it never answers. */
  readonly mood: 'well' | 'refuse' | 'hang';
}

/** An opener's function: a storage of the thread's own. */
export function openBed({ objects, mood }: BedOptions): CheckpointStorage {
  if (mood === 'refuse') throw new Error('the gate is shut');
  const storage = new MemoryStorage(new Map(objects));
  if (mood === 'hang') storage.getRange = () => new Promise(() => {});
  return storage;
}
