import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { residentBytes, startProcess } from '../measured-process.ts';
import type { VisitsEvent, VisitsRunSpec } from './run-visits-job.ts';

/** A process of the job, and what it has told so far. */
export class VisitsProcess {
  /** Wall clock when it was started. */
  readonly spawnedAtMs = Date.now();
  readonly #child;
  readonly #spec: VisitsRunSpec;
  readonly #events: VisitsEvent[] = [];
  readonly #listeners = new Set<() => void>();
  #exit: string | null = null;

  /** @param newFrom the first visit whose result is not out yet; NaN: not asked for */
  constructor(spec: VisitsRunSpec, newFrom = Number.NaN) {
    const program = join(import.meta.dirname, 'run-visits-job.ts');
    this.#spec = spec;
    this.#child = startProcess(process.execPath, [program, JSON.stringify(spec), String(newFrom)]);
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      if (line.startsWith('{')) this.#events.push(JSON.parse(line));
      for (const listener of [...this.#listeners]) listener();
    });
    this.#child.once('close', (code, signal) => {
      this.#exit = `${code ?? signal}`;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  count(kind: VisitsEvent['event']): number {
    return this.#events.filter(({ event }) => event === kind).length;
  }

  /**
   * The `nth` event of that kind (1-based), when it comes.
   *
   * @throws Error if the process ends before, told a wrong result, or `timeoutMs` passes
   */
  async event<K extends VisitsEvent['event']>(
    kind: K,
    nth = 1,
    timeoutMs = 600_000,
  ): Promise<Extract<VisitsEvent, { readonly event: K }>> {
    const deadlineMs = Date.now() + timeoutMs;
    for (;;) {
      const found = this.#events.filter(({ event }) => event === kind)[nth - 1];
      // The kind says which member of the union it is.
      if (found !== undefined) return found as Extract<VisitsEvent, { readonly event: K }>;
      const wrong = this.#events.find(({ event }) => event === 'wrong');
      if (wrong !== undefined) throw new Error(`wrong result: ${JSON.stringify(wrong)}`);
      if (this.#exit !== null) throw new Error(`the job ended with ${this.#exit}, no ${kind}`);
      if (Date.now() > deadlineMs) throw new Error(`no ${kind} within ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#listeners.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, 1_000);
        this.#listeners.add(wake);
      });
    }
  }

  /** The last visit whose result is out. */
  get last(): number {
    return Number(readFileSync(this.#spec.progressFile, 'utf8'));
  }

  get rssMaxBytes(): number {
    return residentBytes(this.#child.pid!).max;
  }

  /** @returns wall clock of the SIGKILL, once the process is gone */
  async kill(): Promise<number> {
    const atMs = Date.now();
    this.#child.kill('SIGKILL');
    await this.ended();
    return atMs;
  }

  async ended(): Promise<void> {
    while (this.#exit === null) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#listeners.delete(wake);
          resolve();
        };
        this.#listeners.add(wake);
      });
    }
  }
}
