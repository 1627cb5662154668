import { assert } from '../base/assert.ts';
import type { ForeignDirectory, Manifest } from '../checkpoint/manifest.ts';
import { foreignNameOf, foreignPath } from '../checkpoint/paths.ts';
import type { RunReference } from '../state/snapshot.ts';
import type {
  CheckpointStorage,
  StorageCallOptions,
  StoredObject,
} from '../storage/checkpoint-storage.ts';

/** Another directory whose objects are read under `foreign/<key>/`. */
export interface Route {
  readonly storage: CheckpointStorage;
  /** False: it belongs to somebody else, and nothing in it is deleted. */
  readonly isClaimed: boolean;
}

/**
 * The storage of a job with the other directories that its runs are in.
 *
 *   foreign/<key>/<name> --copied--> the copy, in the job's own directory
 *            |
 *            +--------not copied--> <name> in the directory of the key
 *   any other name -----------------> the job's own directory
 *
 * T1. Nothing is written to another directory, and nothing is deleted there unless it is claimed.
 * T2. Once a run is copied no read of it goes to where it came from.
 */
export class RoutedStorage implements CheckpointStorage {
  readonly location: string;
  readonly hasConditionalCreate: boolean;
  readonly getRangeNow?: (name: string, offset: number, length: number) => Uint8Array;
  readonly removeLeftovers?: (options?: StorageCallOptions) => Promise<void>;
  readonly #own: CheckpointStorage;
  readonly #routes: ReadonlyMap<string, Route>;
  /** By name under `foreign/`: where runs in it are now. */
  readonly #copies = new Map<string, { from: RunReference; to: RunReference }[]>();

  constructor(own: CheckpointStorage, routes: ReadonlyMap<string, Route>) {
    this.#own = own;
    this.#routes = routes;
    this.location = own.location;
    this.hasConditionalCreate = own.hasConditionalCreate;
    const all = [own, ...[...routes.values()].map(({ storage }) => storage)];
    if (all.every(({ getRangeNow }) => getRangeNow !== undefined)) {
      this.getRangeNow = (name, offset, length) => {
        const { storage, name: there, shift } = this.#find(name, offset);
        return storage.getRangeNow!(there, offset + shift, length);
      };
    }
    if (own.removeLeftovers !== undefined) {
      this.removeLeftovers = (options) => own.removeLeftovers!(options);
    }
  }

  /** T2. @param to in the job's own directory */
  redirect(from: RunReference, to: RunReference): void {
    const known = this.#copies.get(from.file);
    if (known === undefined) this.#copies.set(from.file, [{ from, to }]);
    else known.push({ from, to });
  }

  put(name: string, chunks: readonly Uint8Array[], options?: StorageCallOptions): Promise<void> {
    this.#checkOwn(name);
    return this.#own.put(name, chunks, options);
  }

  putStream(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    options?: StorageCallOptions,
  ): Promise<void> {
    this.#checkOwn(name);
    return this.#own.putStream(name, chunks, options);
  }

  createIfAbsent(
    name: string,
    data: Uint8Array,
    options?: StorageCallOptions,
  ): Promise<'created' | 'exists'> {
    this.#checkOwn(name);
    return this.#own.createIfAbsent(name, data, options);
  }

  get(name: string, options?: StorageCallOptions): Promise<Uint8Array> {
    const { storage, name: there } = this.#route(name);
    return storage.get(there, options);
  }

  getRange(
    name: string,
    offset: number,
    length: number,
    options?: StorageCallOptions,
  ): Promise<Uint8Array> {
    const { storage, name: there, shift } = this.#find(name, offset);
    return storage.getRange(there, offset + shift, length, options);
  }

  async list(prefix: string, options?: StorageCallOptions): Promise<StoredObject[]> {
    const place = foreignNameOf(prefix);
    if (place === null) return this.#own.list(prefix, options);
    const { storage, name } = this.#route(prefix);
    const found = await storage.list(name, options);
    return found.map((object) => ({ ...object, name: foreignPath(place.key, object.name) }));
  }

  delete(name: string, options?: StorageCallOptions): Promise<void> {
    return this.deleteAll([name], options);
  }

  async deleteAll(names: readonly string[], options?: StorageCallOptions): Promise<void> {
    const own = names.filter((name) => foreignNameOf(name) === null);
    if (own.length > 0) await this.#own.deleteAll(own, options);
    for (const [key, { storage, isClaimed }] of this.#routes) {
      const places = names.map(foreignNameOf).filter((place) => place?.key === key);
      if (isClaimed && places.length > 0) {
        await storage.deleteAll(
          places.map((place) => place!.name),
          options,
        );
      }
    }
  }

  async close(): Promise<void> {
    const others = [...this.#routes.values()].map(({ storage }) => storage);
    await Promise.all([this.#own, ...others].map((storage) => storage.close()));
  }

  #find(
    name: string,
    offset: number,
  ): { readonly storage: CheckpointStorage; readonly name: string; readonly shift: number } {
    const copy = this.#copies
      .get(name)
      ?.find(({ from }) => offset >= from.offset && offset < from.offset + from.length);
    if (copy === undefined) return { ...this.#route(name), shift: 0 };
    return { storage: this.#own, name: copy.to.file, shift: copy.to.offset - copy.from.offset };
  }

  #route(name: string): { readonly storage: CheckpointStorage; readonly name: string } {
    const place = foreignNameOf(name);
    if (place === null) return { storage: this.#own, name };
    const route = this.#routes.get(place.key);
    assert(route !== undefined, () => `the directory of ${name} was opened`);
    return { storage: route.storage, name: place.name };
  }

  #checkOwn(name: string): void {
    assert(foreignNameOf(name) === null, () => `${name} is in a directory of the job's own`); // T1
  }
}

/**
 * Opens all other directories that a manifest's runs are in.
 *
 * @param open of a directory or URL; what it returns is the caller's to close
 * @returns `storage` itself if there are none
 */
export async function routeForeign(
  storage: CheckpointStorage,
  manifests: readonly (Manifest | null)[],
  open: (directory: ForeignDirectory) => Promise<CheckpointStorage>,
): Promise<CheckpointStorage> {
  const routes = new Map<string, Route>();
  for (const manifest of manifests) {
    for (const [key, directory] of Object.entries(manifest?.foreign ?? {})) {
      if (routes.has(key)) continue;
      routes.set(key, { storage: await open(directory), isClaimed: directory.isClaimed });
    }
  }
  return routes.size === 0 ? storage : new RoutedStorage(storage, routes);
}
