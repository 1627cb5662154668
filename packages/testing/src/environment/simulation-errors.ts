import { StreamError } from '@millrace/core/host';

/** A simulated program waits for something that will never happen, or does not come to an end. */
export class SimulationStuckError extends StreamError<{
  readonly steps: number;
  readonly nowMs: number;
  /** What happened last. */
  readonly lastLines: readonly string[];
}> {
  static override readonly code = 'SIMULATION_STUCK';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}
