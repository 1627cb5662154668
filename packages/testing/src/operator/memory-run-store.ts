import {
  type EncodedRun,
  FileSystemError,
  type RunReference,
  type RunStore,
} from '@millrace/core/host';

/** Keeps runs in memory, one object per run. */
export class MemoryRunStore implements RunStore {
  readonly #objects = new Map<string, Uint8Array>();

  write(run: EncodedRun): Promise<RunReference> {
    const bytes = new Uint8Array(run.length);
    let at = 0;
    for (const chunk of run.chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    const file = `shared/${this.#objects.size + 1}.run`;
    this.#objects.set(file, bytes);
    return Promise.resolve({
      file,
      offset: 0,
      length: run.length,
      crc32: run.crc32,
      keyGroups: { first: run.firstKeyGroup, last: run.lastKeyGroup },
      entries: run.entries,
    });
  }

  async read(reference: RunReference, offset: number, length: number): Promise<Uint8Array> {
    return this.readNow(reference, offset, length);
  }

  readNow(reference: RunReference, offset: number, length: number): Uint8Array {
    const bytes = this.#objects.get(reference.file);
    if (bytes === undefined) {
      const details = { kind: 'not-found', path: reference.file } as const;
      throw new FileSystemError(`no such run: ${reference.file}`, details);
    }
    const from = reference.offset + offset;
    return bytes.slice(from, from + length);
  }
}
