import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandContext, StopSignal } from '../src/command/command-context.ts';

/** A context whose streams, clock and signals belong to a test. */
export interface FakeContext extends CommandContext {
  /** What was written to standard output and error so far. */
  readonly written: { out: string; error: string };
  readonly clock: { nowMs: number };
  readonly folder: string;
  /** Delivers a signal. */
  signal(name: StopSignal): void;
  /** Runs what `every` was given, once. */
  tick(): void;
  /** Removes the folder. */
  dispose(): void;
}

/** @param changes what differs from a pipe in an empty folder, process 4711, time 0 */
export function fakeContext(changes: Partial<CommandContext> = {}): FakeContext {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'));
  const written = { out: '', error: '' };
  const clock = { nowMs: 0 };
  const signals = new Set<(signal: StopSignal) => void>();
  const looks = new Set<() => void>();
  return {
    written,
    clock,
    folder,
    terminal: {
      isInteractive: false,
      columns: 100,
      out(text) {
        written.out += text;
      },
      outTaken: async () => true,
      error(text) {
        written.error += text;
      },
      onOutput: () => () => {},
    },
    workingDirectory: folder,
    runtimeDirectory: join(folder, 'run'),
    // Alive, so that its entry is not stale.
    pid: process.pid,
    run: () => Promise.reject(new Error('this test runs no job')),
    nowMs: () => clock.nowMs,
    every(_periodMs, run) {
      looks.add(run);
      return () => looks.delete(run);
    },
    onSignal(listener) {
      signals.add(listener);
      return () => signals.delete(listener);
    },
    ...changes,
    signal(name) {
      for (const listener of signals) listener(name);
    },
    tick() {
      for (const look of looks) look();
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}
