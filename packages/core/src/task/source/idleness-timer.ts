/**
 * Tells whether something has been silent for too long. Looked at periodically: a silence begins
 * at the first look at which nothing had happened since the look before, so it is found at most
 * two periods late and never early. The first look only begins to watch.
 */
export class IdlenessTimer {
  readonly #idleAfterMs: number;
  #active = true;
  #silentSinceMs = Number.NaN;

  constructor(idleAfterMs: number) {
    this.#idleAfterMs = idleAfterMs;
  }

  /** Something happened. */
  onActivity(): void {
    this.#active = true;
  }

  /** @returns whether the silence has lasted for more than `idleAfterMs` */
  isIdle(nowMs: number): boolean {
    if (this.#active) {
      this.#active = false;
      this.#silentSinceMs = Number.NaN;
      return false;
    }
    if (Number.isNaN(this.#silentSinceMs)) this.#silentSinceMs = nowMs;
    return nowMs - this.#silentSinceMs > this.#idleAfterMs;
  }
}
