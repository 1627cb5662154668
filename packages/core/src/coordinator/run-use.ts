import { assert } from '../base/assert.ts';

/** Who wrote what, and who may still read it: the files with runs of one attempt. */
interface FileUse {
  /** Runs of it in lists of live runs, and readers. */
  holds: number;
  /** Its upload has not ended. */
  isBeingWritten: boolean;
}

/**
 * Knows which objects with runs the tasks of an attempt use, whatever manifests say.
 *
 *   begin --durable--> held: hold and letGo, as often --0--> unused
 *     |                                                        ^
 *     +------failed, or the attempt has ended------------------+
 *
 * U1. An object is in use from the moment that its name is given away until nobody holds a run of
 *     it. So nothing is deleted that a task reads, or will name in its next acknowledgement.
 * U2. Whatever becomes useless is told exactly then, also what no checkpoint ever named: a spilled
 *     run that was merged away, an upload that failed half way, one that ends after its attempt.
 * U3. The end of the attempt lets everything go: the next one restores from a complete checkpoint.
 */
export class RunUse {
  readonly #onUnused: (file: string) => void;
  readonly #files = new Map<string, FileUse>();
  /** Of durable objects: how long their upload took, ms. */
  readonly #uploadMs = new Map<string, number>();
  #hasEnded = false;

  /** @param onUnused nobody uses this object any more; called once each time that this happens */
  constructor(onUnused: (file: string) => void) {
    this.#onUnused = onUnused;
  }

  /** A new object is going to be written. */
  begin(file: string): void {
    assert(!this.#files.has(file), () => `${file} is a new name`);
    this.#files.set(file, { holds: 0, isBeingWritten: true });
  }

  /** It is durable, and so many of its runs are held (as by `hold`) by those who wrote them. */
  durable(file: string, runs: number, uploadMs: number): void {
    const use = this.#files.get(file)!;
    use.isBeingWritten = false;
    use.holds += this.#hasEnded ? 0 : runs;
    this.#uploadMs.set(file, uploadMs);
    this.#check(file, use);
  }

  /** Its upload failed; whether it exists is not known. */
  failed(file: string): void {
    const use = this.#files.get(file)!;
    use.isBeingWritten = false;
    this.#check(file, use);
  }

  hold(file: string): void {
    if (this.#hasEnded) return;
    const use = this.#files.get(file);
    if (use === undefined) this.#files.set(file, { holds: 1, isBeingWritten: false });
    else use.holds++;
  }

  letGo(file: string): void {
    if (this.#hasEnded) return;
    const use = this.#files.get(file);
    assert(use !== undefined && use.holds > 0, () => `${file} was held`);
    use.holds--;
    this.#check(file, use);
  }

  isInUse(file: string): boolean {
    return this.#files.has(file);
  }

  /** 0 for what this attempt did not write. */
  uploadMsOf(file: string): number {
    return this.#uploadMs.get(file) ?? 0;
  }

  /** U3. What is still being written is told when that has ended. */
  end(): void {
    this.#hasEnded = true;
    for (const [file, use] of [...this.#files]) {
      use.holds = 0;
      this.#check(file, use);
    }
  }

  #check(file: string, { holds, isBeingWritten }: FileUse): void {
    if (holds > 0 || isBeingWritten) return;
    this.#files.delete(file);
    this.#uploadMs.delete(file);
    this.#onUnused(file);
  }
}
