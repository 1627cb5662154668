// The other side of thread-executor.ts: runs pure background jobs, one after the other.
import { parentPort } from 'node:worker_threads';
import type { BackgroundJob } from '../base/environment.ts';
import type { WorkAnswer, WorkMessage } from './thread-executor.ts';

const port = parentPort!;

async function work({ id, module, exportName, input }: WorkMessage): Promise<void> {
  try {
    const exported = (await import(module)) as Record<string, BackgroundJob<unknown, unknown>>;
    const job = exported[exportName]!;
    const output = job.run(input);
    const answer: WorkAnswer = { id, output };
    port.postMessage(answer, job.transferOutput?.(output) ?? []);
  } catch (error) {
    port.postMessage({ id, error } satisfies WorkAnswer);
  }
}

let tail: Promise<void> = Promise.resolve();
port.on('message', (message: WorkMessage) => {
  tail = tail.then(() => work(message));
});
