import {
  type CheckpointStorage,
  type Manifest,
  routeForeign,
  storageOf,
} from '@millrace/core/checkpoint';
import type { Environment } from '@millrace/core/host';

/**
 * Gives the storage of a snapshot together with the other directories that runs of it are in; they
 * are closed when `use` has ended.
 */
export async function withRoutedRuns<T>(
  { storage, manifest }: { readonly storage: CheckpointStorage; readonly manifest: Manifest },
  environment: Environment,
  use: (storage: CheckpointStorage) => Promise<T>,
): Promise<T> {
  const opened: CheckpointStorage[] = [];
  try {
    const routed = await routeForeign(storage, [manifest], async ({ directory }) => {
      opened.push(await storageOf(directory, environment, 'read'));
      return opened.at(-1)!;
    });
    return await use(routed);
  } finally {
    await Promise.all(opened.map((one) => one.close()));
  }
}
