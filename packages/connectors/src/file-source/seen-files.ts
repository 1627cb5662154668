/** Sorted paths, each as the length of what it shares with the one before, and the rest. */
export type SeenPaths = readonly (number | string)[];

/**
 * The files that a continuous source has found already, kept for ever: one that comes back under
 * the same path is not read again. A snapshot takes a few bytes per file, because paths of one
 * directory begin alike.
 */
export class SeenFiles {
  readonly #paths: Set<string>;
  #snapshot: SeenPaths | null = null;

  constructor(restored: SeenPaths = []) {
    this.#paths = new Set(pathsOf(restored));
  }

  get size(): number {
    return this.#paths.size;
  }

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  add(path: string): void {
    this.#paths.add(path);
    this.#snapshot = null;
  }

  /** Plain data for the constructor. Cost: O(n log n) after an `add`, else O(1). */
  snapshot(): SeenPaths {
    this.#snapshot ??= frontCoded([...this.#paths].sort());
    return this.#snapshot;
  }
}

function frontCoded(sorted: readonly string[]): SeenPaths {
  let previous = '';
  return sorted.flatMap((path) => {
    let shared = 0;
    while (shared < previous.length && path[shared] === previous[shared]) shared++;
    previous = path;
    return [shared, path.slice(shared)];
  });
}

function pathsOf(seen: SeenPaths): string[] {
  const paths: string[] = [];
  let previous = '';
  for (let at = 0; at < seen.length; at += 2) {
    previous = previous.slice(0, seen[at] as number) + (seen[at + 1] as string);
    paths.push(previous);
  }
  return paths;
}
