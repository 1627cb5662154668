import type { Random } from '../base/environment.ts';
import type { CheckpointStorage } from './checkpoint-storage.ts';
import { StorageUnavailableError } from './storage-errors.ts';

/** Objects of probes; only processes that died within one leave any behind. */
export const PROBE_PREFIX = 'probe/';

// Whoever takes the directory over removes leftovers, perhaps between the two creations of a probe.
// A creation whose outcome is unknown says nothing either.
const PROBE_COUNT = 3;

/**
 * Finds out whether a storage really creates conditionally: creates an object twice, and looks
 * whether the second creation, and only that, is told `exists` and changes nothing. Removes the
 * object. Some stores take the condition and ignore it; then both creations succeed.
 *
 * That the storage has one winner in a race, too, no probe can show: it is known of the protocol.
 *
 * @throws StorageError if the storage cannot be written, as a first write would
 */
export async function probeConditionalCreate(
  storage: Pick<CheckpointStorage, 'createIfAbsent' | 'get' | 'delete'>,
  random: Random,
): Promise<boolean> {
  for (let probe = 1; ; probe++) {
    try {
      if (await probeOnce(storage, `${PROBE_PREFIX}${random.hex(12)}`)) return true;
      if (probe === PROBE_COUNT) return false;
    } catch (error) {
      if (!(error instanceof StorageUnavailableError) || probe === PROBE_COUNT) throw error;
    }
  }
}

async function probeOnce(
  storage: Pick<CheckpointStorage, 'createIfAbsent' | 'get' | 'delete'>,
  name: string,
): Promise<boolean> {
  const [first, second] = [Uint8Array.of(1), Uint8Array.of(2)];
  let isConditional: boolean;
  try {
    const outcomes = [
      await storage.createIfAbsent(name, first),
      await storage.createIfAbsent(name, second),
    ];
    isConditional =
      outcomes[0] === 'created' &&
      outcomes[1] === 'exists' &&
      Buffer.compare(await storage.get(name), first) === 0;
  } catch (error) {
    await storage.delete(name).catch(() => {}); // the first error is the one that counts
    throw error;
  }
  await storage.delete(name);
  return isConditional;
}
