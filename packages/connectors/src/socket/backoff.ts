/** How long to wait between attempts to connect. */
export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** The wait before attempt `failures + 1`: doubles from `initialMs` up to `maxMs`. Pure. */
export function backoffMs(backoff: Backoff, failures: number): number {
  return Math.min(backoff.maxMs, backoff.initialMs * 2 ** Math.min(failures, 30));
}
