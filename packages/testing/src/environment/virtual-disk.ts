import { type FileErrorKind, FileSystemError } from '@millrace/core/host';
import type { SeededRandom } from './seeded-random.ts';

/** Content of a file, and how much of it would survive a loss of power. */
export class DiskFile {
  readonly kind = 'file';
  content: Uint8Array = new Uint8Array(0);
  /** What the last `sync` covered. */
  durable: Uint8Array = new Uint8Array(0);
  modifiedAtMs = 0;

  append(data: Uint8Array): void {
    const grown = new Uint8Array(this.content.length + data.length);
    grown.set(this.content);
    grown.set(data, this.content.length);
    this.content = grown;
  }

  sync(): void {
    this.durable = this.content;
  }
}

/** Names in a directory, and those that would survive. */
export class DiskDirectory {
  readonly kind = 'directory';
  readonly names = new Map<string, DiskNode>();
  readonly durable = new Map<string, DiskNode>();
}

/** What a name can stand for. */
export type DiskNode = DiskFile | DiskDirectory;

interface NameChange {
  readonly directory: DiskDirectory;
  readonly name: string;
  /** null: the name goes. */
  readonly node: DiskNode | null;
}

/** Names that change together (a rename changes two); `anchor` is the directory to be synced. */
interface PendingNames {
  readonly anchor: DiskDirectory;
  readonly changes: readonly NameChange[];
}

/** @throws FileSystemError */
export function failFile(kind: FileErrorKind, path: string, what: string): never {
  throw new FileSystemError(`${what}: ${path}`, { kind, path });
}

/**
 * A disk that outlives the simulated processes, and loses what was not synced.
 *
 *   write --> content --sync--> durable           create, rename, ... --> names --syncDirectory-->
 *      \--loss of power: a prefix of it, or it with its last part torn; by seed      durable names
 *
 * D1. Content survives as far as the last `sync` of the file; of what was written later any prefix
 *     may survive, and the end of that prefix may be garbage.
 * D2. A name survives after `syncDirectory` of its directory (a rename: of the one it moved to).
 *     Each change that was not synced survives or not, independently, a rename as a whole.
 * D3. A process that dies alone (`VirtualEnvironment.kill`) loses nothing: the system lives on.
 */
export class VirtualDisk {
  root = new DiskDirectory();
  #pending: PendingNames[] = [];
  /** Bytes written since the disk is there; for `fullAfterBytes`. */
  writtenBytes = 0;
  /** Writes beyond this many bytes in all fail with kind `full`. */
  fullAfterBytes = Number.POSITIVE_INFINITY;

  find(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.root;
    for (const part of partsOf(path)) {
      if (node?.kind !== 'directory') return undefined;
      node = node.names.get(part);
    }
    return node;
  }

  file(path: string): DiskFile {
    const node = this.find(path);
    if (node === undefined) failFile('not-found', path, 'no such file');
    if (node.kind !== 'file') failFile('directory', path, 'is a directory');
    return node;
  }

  /** The directory that holds the last part of `path`, and that part. */
  place(path: string): { readonly directory: DiskDirectory; readonly name: string } {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) failFile('directory', path, 'is the root');
    const directory = this.find(parts.join('/'));
    if (directory === undefined) failFile('not-found', path, 'no such directory');
    if (directory.kind !== 'directory') failFile('other', path, 'not a directory on the way');
    return { directory, name };
  }

  /** Changes names now; durable once `anchor` is synced. */
  change(anchor: DiskDirectory, ...changes: readonly NameChange[]): void {
    for (const { directory, name, node } of changes) setName(directory.names, name, node);
    this.#pending.push({ anchor, changes });
  }

  /** Like `mkdir -p` followed by a sync of every directory on the way. */
  makeDirectory(path: string): void {
    let directory = this.root;
    for (const part of partsOf(path)) {
      let node = directory.names.get(part);
      if (node?.kind === 'file') failFile('exists', path, 'a file is in the way');
      node ??= new DiskDirectory();
      this.syncDirectory(directory); // an older removal of the name must not come after this
      directory.names.set(part, node);
      directory.durable.set(part, node);
      directory = node;
    }
  }

  syncDirectory(directory: DiskDirectory): void {
    this.#pending = this.#pending.filter((pending) => {
      if (pending.anchor !== directory) return true;
      applyDurably(pending);
      return false;
    });
  }

  /** Flips one bit of a stored file, as a bad disk does. @throws FileSystemError */
  flipBit(path: string, byteOffset: number, bit = 0): void {
    const file = this.file(path);
    const flip = (bytes: Uint8Array): Uint8Array => {
      const copy = bytes.slice();
      if (byteOffset < copy.length) copy[byteOffset]! ^= 1 << bit;
      return copy;
    };
    const shared = file.content === file.durable;
    file.content = flip(file.content);
    file.durable = shared ? file.content : flip(file.durable);
  }

  /** What a loss of power leaves; changes this disk in place. The choice is the seed's. */
  losePower(random: SeededRandom): void {
    for (const pending of this.#pending) if (random.chance(0.5)) applyDurably(pending);
    this.#pending = [];
    const seen = new Set<DiskNode>();
    const visit = (node: DiskNode): void => {
      if (seen.has(node)) return;
      seen.add(node);
      if (node.kind === 'file') {
        node.content = survivor(node, random);
        node.durable = node.content;
        return;
      }
      node.names.clear();
      for (const name of [...node.durable.keys()].sort()) {
        const child = node.durable.get(name)!;
        node.names.set(name, child);
        visit(child);
      }
    };
    visit(this.root);
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function setName(names: Map<string, DiskNode>, name: string, node: DiskNode | null): void {
  if (node === null) names.delete(name);
  else names.set(name, node);
}

function applyDurably({ changes }: PendingNames): void {
  for (const { directory, name, node } of changes) setName(directory.durable, name, node);
}

// D1: nothing, everything, or a part of what was not synced; sometimes with a torn end.
function survivor(file: DiskFile, random: SeededRandom): Uint8Array {
  const { content, durable } = file;
  if (content === durable) return durable;
  const appended = content.length >= durable.length && startsWith(content, durable);
  if (!appended && random.chance(0.5)) return durable;
  const base = appended ? durable.length : 0;
  const choice = random.below(4);
  if (choice === 0) return content.slice(0, base);
  if (choice === 1) return content;
  const kept = content.slice(0, base + random.below(content.length - base + 1));
  if (choice === 3) {
    const torn = Math.min(kept.length - base, 1 + random.below(512));
    for (let at = kept.length - torn; at < kept.length; at++) kept[at] = random.below(256);
  }
  return kept;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}
