import { assert } from '../base/assert.ts';
import { referenceTo } from './run-reference.ts';
import type { EncodedRun } from './run-store.ts';
import type { RunReference } from './snapshot.ts';

/**
 * A reference that holds the run itself.
 *
 * @param name never used before; begins with `inline/`
 */
export function inlineRun(name: string, run: EncodedRun, isMerged: boolean): RunReference {
  const inline = Buffer.concat(run.chunks).toString('base64');
  return { ...referenceTo(name, 0, run, isMerged), inline };
}

/** Bytes `offset` to `offset + length` of a run that stands in its reference; the caller's own. */
export function readInline(reference: RunReference, offset: number, length: number): Uint8Array {
  const bytes = bytesOfInline(reference);
  return bytes.subarray(offset, offset + length);
}

/** All bytes of a run that stands in its reference; the caller's own. */
export function bytesOfInline({ file, inline }: RunReference): Uint8Array {
  assert(inline !== undefined, () => `run ${file} stands in its reference`);
  // A buffer of its own: what is read may be transferred, and a pool must not be.
  const bytes = new Uint8Array(Buffer.byteLength(inline, 'base64'));
  Buffer.from(bytes.buffer).write(inline, 'base64');
  return bytes;
}
