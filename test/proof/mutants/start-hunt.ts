import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { HuntOrder, HuntReport } from './hunt.ts';

/**
 * Tries seeds in a process of its own.
 *
 * @returns null: it took longer than `limitMs` and was ended
 */
export function startHunt(order: HuntOrder, limitMs: number): Promise<HuntReport | null> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'hunt.ts'), { execArgv: [] });
    const limit = setTimeout(() => {
      child.kill('SIGKILL');
      resolve(null);
    }, limitMs);
    child.once('message', (report) => resolve(report as HuntReport));
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(limit);
      if (code !== 0) reject(new Error(`a hunt ended with ${code}`)); // else it has reported
    });
    child.send(order);
  });
}
