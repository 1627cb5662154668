import {
  type DirectoryEntry,
  type FileErrorKind,
  type FileStat,
  type FileSystem,
  FileSystemError,
  type ReadableFile,
  type WritableFile,
} from '@millrace/core/host';
import { DiskDirectory, DiskFile, failFile, type VirtualDisk } from './virtual-disk.ts';

/** One call on the file system, as a fault hook sees it. */
export interface FileCall {
  readonly operation: string;
  readonly path: string;
  /** Counts the calls of this process from 1. */
  readonly index: number;
}

/**
 * Decides whether a call fails: the kind of the error, `lost-answer` (it takes effect, and fails
 * all the same), or undefined to let it through.
 */
export type FileFault = (call: FileCall) => FileErrorKind | 'lost-answer' | undefined;

/** What the file system needs of the process that it serves. */
export interface FileSystemHost {
  readonly disk: VirtualDisk;
  nowMs(): number;
  /** Runs `effect` in a later turn; never if the process is dead by then. */
  later(effect: () => void): void;
  /** The same for what the process is told; a sleeping one is told when it wakes. */
  report(tell: () => void): void;
  note(line: string): void;
}

/**
 * The `FileSystem` of one simulated process on a `VirtualDisk`.
 *
 * L1. An operation takes effect in one turn and is reported in a later one, so that a crash can
 *     fall between the two: done, but nobody knows.
 * L2. Operations take effect in any order (by seed), except the calls on one writable file.
 * L3. The calls of a dead process have no effect and never resolve.
 */
export class VirtualFileSystem implements FileSystem {
  readonly #host: FileSystemHost;
  /** Set it to let calls fail; see `failNthCall`. */
  fault: FileFault = () => undefined;
  /** Called after each call that took effect, before the caller knows. For checks. */
  onEffect: (operation: string, path: string) => void = () => {};
  #calls = 0;

  constructor(host: FileSystemHost) {
    this.#host = host;
  }

  create(path: string, options: { readonly exclusive?: boolean } = {}): Promise<WritableFile> {
    return this.#call('create', path, (disk) => {
      const { directory, name } = disk.place(path);
      const there = directory.names.get(name);
      if (there?.kind === 'directory') failFile('directory', path, 'is a directory');
      if (there !== undefined && options.exclusive) failFile('exists', path, 'already exists');
      const file = there ?? new DiskFile();
      file.content = new Uint8Array(0);
      file.modifiedAtMs = this.#host.nowMs();
      if (there === undefined) disk.change(directory, { directory, name, node: file });
      return new VirtualWritableFile(file, path, (operation, effect, queue) =>
        this.#call(operation, path, effect, queue),
      );
    });
  }

  openRead(path: string): Promise<ReadableFile> {
    return this.#call('openRead', path, (disk): ReadableFile => {
      const file = disk.file(path);
      return {
        read: (offset, length) =>
          this.#call('read', path, () => file.content.slice(offset, offset + length)),
        close: () => this.#call('closeRead', path, () => {}),
      };
    });
  }

  /** In the turn of the caller: nothing can come in between. */
  readNow(path: string, offset: number, length: number): Uint8Array {
    const kind = this.fault({ operation: 'readNow', path, index: ++this.#calls });
    if (kind !== undefined) {
      failFile(kind === 'lost-answer' ? 'other' : kind, path, 'injected fault in readNow');
    }
    return this.#host.disk.file(path).content.slice(offset, offset + length);
  }

  readFile(path: string): Promise<Uint8Array> {
    return this.#call('readFile', path, (disk) => disk.file(path).content.slice());
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', `${from} -> ${to}`, (disk) => {
      const node = disk.find(from);
      if (node === undefined) failFile('not-found', from, 'no such file');
      const source = disk.place(from);
      const target = disk.place(to);
      const there = target.directory.names.get(target.name);
      if (there === node) return;
      if (there?.kind === 'directory') failFile('directory', to, 'a directory is in the way');
      disk.change(target.directory, { ...source, node: null }, { ...target, node });
    });
  }

  link(from: string, to: string): Promise<void> {
    return this.#call('link', `${from} -> ${to}`, (disk) => {
      const node = disk.file(from);
      const { directory, name } = disk.place(to);
      if (directory.names.has(name)) failFile('exists', to, 'already exists');
      disk.change(directory, { directory, name, node });
    });
  }

  delete(path: string): Promise<void> {
    return this.#call('delete', path, (disk) => {
      const node = disk.find(path);
      if (node === undefined) return;
      if (node.kind === 'directory') failFile('directory', path, 'is a directory');
      const { directory, name } = disk.place(path);
      disk.change(directory, { directory, name, node: null });
    });
  }

  deleteDirectory(path: string): Promise<void> {
    return this.#call('deleteDirectory', path, (disk) => {
      const node = disk.find(path);
      if (node?.kind !== 'directory' || node.names.size > 0) return;
      const { directory, name } = disk.place(path);
      disk.change(directory, { directory, name, node: null });
    });
  }

  makeDirectory(path: string): Promise<void> {
    return this.#call('makeDirectory', path, (disk) => disk.makeDirectory(path));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#call('syncDirectory', path, (disk) => {
      const node = disk.find(path);
      if (node?.kind !== 'directory') failFile('not-found', path, 'no such directory');
      disk.syncDirectory(node);
    });
  }

  list(path: string): Promise<DirectoryEntry[]> {
    return this.#call('list', path, (disk) => {
      const node = disk.find(path);
      if (node === undefined) return [];
      if (node.kind === 'file') failFile('other', path, 'not a directory');
      return [...node.names.keys()]
        .sort()
        .map((name) => ({ name, kind: node.names.get(name)!.kind }));
    });
  }

  stat(path: string): Promise<FileStat | null> {
    return this.#call('stat', path, (disk) => {
      const node = disk.find(path);
      if (node === undefined) return null;
      if (node instanceof DiskDirectory)
        return { kind: 'directory', sizeBytes: 0, modifiedAtMs: 0 };
      return { kind: 'file', sizeBytes: node.content.length, modifiedAtMs: node.modifiedAtMs };
    });
  }

  /** The `count`-th call from now on whose operation and path match fails with `kind`. */
  failNthCall(
    count: number,
    kind: FileErrorKind,
    matches: (call: FileCall) => boolean = () => true,
  ): void {
    let left = count;
    this.fault = (call) => (matches(call) && --left === 0 ? kind : undefined);
  }

  #call<T>(
    operation: string,
    path: string,
    effect: (disk: VirtualDisk) => T,
    queue?: (() => void)[],
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = (): void => {
        let report: () => void;
        try {
          const kind = this.fault({ operation, path, index: ++this.#calls });
          if (kind !== undefined && kind !== 'lost-answer') {
            failFile(kind, path, `injected fault in ${operation}`);
          }
          const result = effect(this.#host.disk);
          if (kind === 'lost-answer') {
            this.onEffect(operation, path);
            failFile('other', path, `injected fault after ${operation}`);
          }
          this.#host.note(`file ${operation} ${path}`);
          this.onEffect(operation, path);
          report = () => resolve(result);
        } catch (error) {
          const kind = error instanceof FileSystemError ? error.details.kind : String(error);
          this.#host.note(`file ${operation} ${path} failed: ${kind}`);
          report = () => reject(error);
        }
        this.#host.report(report);
      };
      queue?.push(run);
      // Of one file's calls whichever turn comes runs the oldest one.
      this.#host.later(queue === undefined ? run : () => queue.shift()!());
    });
  }
}

type FileOperation = (
  operation: string,
  effect: (disk: VirtualDisk) => void,
  queue: (() => void)[],
) => Promise<void>;

class VirtualWritableFile implements WritableFile {
  readonly #file: DiskFile;
  readonly #path: string;
  readonly #perform: FileOperation;
  readonly #queue: (() => void)[] = [];
  #closed = false;

  constructor(file: DiskFile, path: string, perform: FileOperation) {
    this.#file = file;
    this.#path = path;
    this.#perform = perform;
  }

  write(data: Uint8Array): Promise<void> {
    const copy = data.slice();
    return this.#do('write', (disk) => {
      if (disk.writtenBytes + copy.length > disk.fullAfterBytes) {
        // A full disk takes what still fits.
        this.#file.append(copy.subarray(0, Math.max(0, disk.fullAfterBytes - disk.writtenBytes)));
        disk.writtenBytes = disk.fullAfterBytes;
        failFile('full', this.#path, 'no space left');
      }
      disk.writtenBytes += copy.length;
      this.#file.append(copy);
    });
  }

  sync(): Promise<void> {
    return this.#do('sync', () => this.#file.sync());
  }

  close(): Promise<void> {
    return this.#do('close', () => {
      this.#closed = true;
    });
  }

  #do(operation: string, effect: (disk: VirtualDisk) => void): Promise<void> {
    const checked = (disk: VirtualDisk): void => {
      if (this.#closed) failFile('other', this.#path, `${operation} of a closed file`);
      effect(disk);
    };
    return this.#perform(operation, checked, this.#queue);
  }
}
