/** Lines that are kept; the digest covers all. */
const KEPT_LINES = 20_000;

/**
 * What happened in a simulation, in order. Two runs of one seed must have the same digest: whatever
 * breaks that reaches for something outside its environment.
 */
export class Trace {
  #lines: string[] = [];
  #count = 0;
  #low = 0x811c9dc5;
  #high = 0x9747b28c;

  /** Adds one line. Cost: O(length). */
  note(line: string): void {
    for (let i = 0; i < line.length; i++) {
      const unit = line.charCodeAt(i);
      this.#low = Math.imul(this.#low ^ unit, 0x01000193);
      this.#high = Math.imul(this.#high ^ unit, 0x5bd1e995);
      this.#high ^= this.#high >>> 15;
    }
    this.#low = Math.imul(this.#low ^ 10, 0x01000193);
    this.#count++;
    this.#lines.push(line);
    if (this.#lines.length > 2 * KEPT_LINES) this.#lines = this.#lines.slice(-KEPT_LINES);
  }

  /** Lines noted so far. */
  get count(): number {
    return this.#count;
  }

  /** 16 hexadecimal digits over every line ever noted. */
  get digest(): string {
    const text = (half: number): string => (half >>> 0).toString(16).padStart(8, '0');
    return text(this.#high) + text(this.#low);
  }

  /** The last `count` lines (at most 20 000 are kept). */
  tail(count: number = KEPT_LINES): readonly string[] {
    return this.#lines.slice(-count);
  }
}
