// The other side of blocking-reader.ts: reads with a client of its own, one request at a time.
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../base/errors.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { StorageError } from '../storage/storage-errors.ts';
import { DONE, FAILED, MISSING, type ReaderSetup, type ReadRequest } from './blocking-reader.ts';

const setup = workerData as ReaderSetup;
const control = new Int32Array(setup.control);
const data = new Uint8Array(setup.data);
let opening: Promise<CheckpointStorage> | null = null;

async function open(): Promise<CheckpointStorage> {
  const { module, exportName, options } = setup.opener;
  const exports = (await import(module)) as Record<
    string,
    (options: unknown) => CheckpointStorage | Promise<CheckpointStorage>
  >;
  return exports[exportName]!(options);
}

async function serve({ name, offset, length }: ReadRequest): Promise<void> {
  let state = DONE;
  let bytes: Uint8Array;
  try {
    opening ??= open();
    bytes = await (await opening).getRange(name, offset, length);
  } catch (error) {
    opening = null; // perhaps it could not be opened: tried again
    const code = error instanceof StorageError ? error.code : '';
    state = code === 'STORAGE_NOT_FOUND' ? MISSING : FAILED;
    bytes = Buffer.from(messageOf(error)).subarray(0, data.length);
  }
  data.set(bytes);
  Atomics.store(control, 1, bytes.length);
  Atomics.store(control, 0, state);
  Atomics.notify(control, 0);
}

parentPort!.on('message', (request: ReadRequest) => void serve(request));
