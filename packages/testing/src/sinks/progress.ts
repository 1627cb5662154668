/** What an attempt was doing, in words, for whoever reads where it was cut off. */
export class Progress {
  readonly #active = new Map<symbol, { readonly what: string; readonly sinceStep: number }>();
  readonly #steps: () => number;
  #last = 'the attempt had begun';

  /** @param steps turns of the simulation so far */
  constructor(steps: () => number) {
    this.#steps = steps;
  }

  /** Something took place in one call. */
  note(what: string): void {
    this.#last = what;
  }

  /** Something takes a while. @returns to be called at its end */
  begin(what: string): () => void {
    const token = Symbol(what);
    this.#active.set(token, { what, sinceStep: this.#steps() });
    return () => void this.#active.delete(token);
  }

  /** @example `while checkpoint 3 was being committed (5 turns in), after record 7 was written` */
  describe(): string {
    const active = [...this.#active.values()].map(({ what, sinceStep }) => {
      const turns = this.#steps() - sinceStep;
      return `${what} (${turns} ${turns === 1 ? 'turn' : 'turns'} in)`;
    });
    const after = `after ${this.#last}`;
    return active.length === 0 ? after : `while ${active.join(' and ')}, ${after}`;
  }
}
