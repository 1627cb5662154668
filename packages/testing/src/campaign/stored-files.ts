import type { DiskDirectory, DiskFile, VirtualDisk } from '../environment/virtual-disk.ts';
import type { VirtualObjectStore } from '../servers/virtual-object-store.ts';

/** The bytes that count: those that are there now, or those that a loss of power would leave. */
export type View = 'content' | 'durable';

/** Reads what is stored without taking time, and without any code of the engine. */
export interface StoredFiles {
  /** The same array as long as the content is the same; null: there is no such file. */
  bytes(path: string, view: View): Uint8Array | null;
  /** Names of the files and directories in a directory, in no order. */
  names(directory: string, view: View): string[];
  /** Paths of all files below a directory, relative to it, in no order. */
  below(directory: string): string[];
  /** Flips the lowest bit of a byte at rest; twice: nothing. */
  flip(path: string, byteOffset: number): void;
}

/** What lies on a virtual disk. */
export function filesOnDisk(disk: VirtualDisk): StoredFiles {
  const find = (path: string, view: View): DiskDirectory | DiskFile | undefined => {
    let node: DiskDirectory | DiskFile | undefined = disk.root;
    for (const part of path.split('/')) {
      if (part === '') continue;
      if (node?.kind !== 'directory') return undefined;
      node = (view === 'content' ? node.names : node.durable).get(part);
    }
    return node;
  };
  return {
    bytes(path, view) {
      const node = find(path, view);
      return node?.kind === 'file' ? node[view] : null;
    },
    names(directory, view) {
      const node = find(directory, view);
      if (node?.kind !== 'directory') return [];
      return [...(view === 'content' ? node.names : node.durable).keys()];
    },
    below(directory) {
      const found: string[] = [];
      const visit = (parent: DiskDirectory, prefix: string): void => {
        for (const [name, node] of parent.names) {
          if (node.kind === 'directory') visit(node, `${prefix}${name}/`);
          else found.push(prefix + name);
        }
      };
      const root = find(directory, 'content');
      if (root?.kind === 'directory') visit(root, '');
      return found;
    },
    flip: (path, byteOffset) => disk.flipBit(path, byteOffset),
  };
}

/**
 * What lies in an object store; whatever it has is durable. Paths that begin with `/` are on the
 * disk.
 */
export function filesInStore(store: VirtualObjectStore, disk: StoredFiles): StoredFiles {
  const known = new Map<string, Uint8Array>();
  return {
    bytes(path, view) {
      if (path.startsWith('/')) return disk.bytes(path, view);
      if (!store.has(path)) return null;
      const bytes = known.get(path) ?? store.read(path)!;
      known.set(path, bytes);
      return bytes;
    },
    names(directory, view) {
      if (directory.startsWith('/')) return disk.names(directory, view);
      const prefix = `${directory}/`;
      return store.list(prefix).map(({ name }) => name.slice(prefix.length));
    },
    below(directory) {
      if (directory.startsWith('/')) return disk.below(directory);
      return store.list(`${directory}/`).map(({ name }) => name.slice(directory.length + 1));
    },
    flip(path, byteOffset) {
      if (path.startsWith('/')) disk.flip(path, byteOffset);
      else store.rot(path, byteOffset);
      known.delete(path);
    },
  };
}
