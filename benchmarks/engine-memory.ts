import type { RunOptions } from 'millrace';

/** The options that give a job so much memory for its state; one place, for all benchmarks. */
export function memoryOptions(bytes: number): RunOptions {
  return { memory: { stateBytes: bytes } };
}
