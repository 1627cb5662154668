import {
  type DirectoryEntry,
  type FileErrorKind,
  type FileStat,
  type FileSystem,
  FileSystemError,
  type ReadableFile,
  type WritableFile,
} from '@millrace/core/connector';

interface Inode {
  data: Buffer;
  syncedBytes: number;
  modifiedAtMs: number;
}

function failure(kind: FileErrorKind, path: string): FileSystemError {
  return new FileSystemError(`${kind}: ${path}`, { kind, path });
}

/** A disk in memory that can stop at any call, lose what was not synced, or be full. */
export class FakeDisk implements FileSystem {
  #live = new Map<string, Inode>();
  #durable = new Map<string, Inode>();
  /** Calls so far. */
  calls = 0;
  /** From this call on nothing ever comes back, as after the death of the process. */
  stopAt = Number.POSITIVE_INFINITY;
  /** Bytes of all files together at most. */
  capacityBytes = Number.POSITIVE_INFINITY;
  nowMs = 1_000;

  /** Contents of all files, by path. */
  files(): Record<string, string> {
    const names = [...this.#live.keys()].sort();
    return Object.fromEntries(names.map((name) => [name, this.#live.get(name)!.data.toString()]));
  }

  put(path: string, data: string | Uint8Array): void {
    const bytes = Buffer.from(data);
    const inode = { data: bytes, syncedBytes: bytes.length, modifiedAtMs: this.nowMs };
    this.#live.set(path, inode);
    this.#durable.set(path, inode);
  }

  /** The process has died. `power`: so has the machine; only what was synced is left. */
  crash(kind: 'kill' | 'power'): FakeDisk {
    const after = new FakeDisk();
    const names = kind === 'kill' ? this.#live : this.#durable;
    const copies = new Map<Inode, Inode>();
    for (const [path, inode] of names) {
      const bytes = kind === 'kill' ? inode.data.length : inode.syncedBytes;
      const copy = copies.get(inode) ?? {
        data: Buffer.from(inode.data.subarray(0, bytes)),
        syncedBytes: bytes,
        modifiedAtMs: inode.modifiedAtMs,
      };
      copies.set(inode, copy);
      after.#live.set(path, copy);
      after.#durable.set(path, copy);
    }
    return after;
  }

  readNow(path: string, offset: number, length: number): Uint8Array {
    const inode = this.#live.get(path);
    if (inode === undefined) throw failure('not-found', path);
    return new Uint8Array(inode.data.subarray(offset, offset + length));
  }

  async create(path: string, options?: { readonly exclusive?: boolean }): Promise<WritableFile> {
    await this.#call();
    if (options?.exclusive && this.#live.has(path)) throw failure('exists', path);
    const inode: Inode = { data: Buffer.alloc(0), syncedBytes: 0, modifiedAtMs: this.nowMs };
    this.#live.set(path, inode);
    let open = true;
    return {
      write: async (data) => {
        await this.#call();
        if (!open) throw failure('other', path);
        const used = [...this.#live.values()].reduce((sum, one) => sum + one.data.length, 0);
        if (used + data.length > this.capacityBytes) throw failure('full', path);
        inode.data = Buffer.concat([inode.data, data]);
        inode.modifiedAtMs = this.nowMs;
      },
      sync: async () => {
        await this.#call();
        if (!open) throw failure('other', path);
        inode.syncedBytes = inode.data.length;
      },
      close: async () => {
        await this.#call();
        open = false;
      },
    };
  }

  async openRead(path: string): Promise<ReadableFile> {
    await this.#call();
    const inode = this.#find(path);
    return {
      read: async (offset, length) => {
        await this.#call();
        return new Uint8Array(inode.data.subarray(offset, offset + length));
      },
      close: async () => {},
    };
  }

  async readFile(path: string): Promise<Uint8Array> {
    await this.#call();
    return new Uint8Array(this.#find(path).data);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#call();
    this.#live.set(to, this.#find(from));
    this.#live.delete(from);
  }

  async link(from: string, to: string): Promise<void> {
    await this.#call();
    if (this.#live.has(to)) throw failure('exists', to);
    this.#live.set(to, this.#find(from));
  }

  async delete(path: string): Promise<void> {
    await this.#call();
    this.#live.delete(path);
  }

  async deleteDirectory(): Promise<void> {
    await this.#call();
  }

  async makeDirectory(): Promise<void> {
    await this.#call();
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#call();
    for (const name of this.#durable.keys()) {
      if (parentOf(name) === path && !this.#live.has(name)) this.#durable.delete(name);
    }
    for (const [name, inode] of this.#live) {
      if (parentOf(name) === path) this.#durable.set(name, inode);
    }
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    await this.#call();
    const entries = new Map<string, DirectoryEntry>();
    for (const file of this.#live.keys()) {
      if (!file.startsWith(`${path}/`)) continue;
      const [name, ...rest] = file.slice(path.length + 1).split('/');
      entries.set(name!, { name: name!, kind: rest.length === 0 ? 'file' : 'directory' });
    }
    return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async stat(path: string): Promise<FileStat | null> {
    await this.#call();
    const inode = this.#live.get(path);
    if (inode !== undefined) {
      return { kind: 'file', sizeBytes: inode.data.length, modifiedAtMs: inode.modifiedAtMs };
    }
    const isDirectory = [...this.#live.keys()].some((name) => name.startsWith(`${path}/`));
    return isDirectory ? { kind: 'directory', sizeBytes: 0, modifiedAtMs: 0 } : null;
  }

  #find(path: string): Inode {
    const inode = this.#live.get(path);
    if (inode === undefined) throw failure('not-found', path);
    return inode;
  }

  async #call(): Promise<void> {
    if (++this.calls >= this.stopAt) await new Promise(() => {});
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
