import type { CommandContext, StopSignal, Terminal } from './command/command-context.ts';
import { dispatch } from './command/dispatch.ts';
import { endProcess } from './command/end-process.ts';
import { runtimeDirectory } from './control/job-registry.ts';

/** Carries out the process's command line and ends the process with its exit code. */
export async function main(): Promise<void> {
  const code = await dispatch(realContext(), process.argv.slice(2));
  // A job may leave handles open; what is written must be out before the process ends.
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  endProcess(code);
}

function realContext(): CommandContext {
  return {
    terminal: realTerminal(),
    workingDirectory: process.cwd(),
    runtimeDirectory: runtimeDirectory(process.env),
    pid: process.pid,
    async run(job, options) {
      const engine = await import('@millrace/core');
      return engine.run(job, options);
    },
    nowMs: () => Date.now(),
    every(periodMs, run) {
      const timer = setInterval(run, periodMs).unref();
      return () => clearInterval(timer);
    },
    onSignal(listener) {
      const signals: readonly StopSignal[] = ['SIGINT', 'SIGTERM'];
      for (const signal of signals) process.on(signal, listener);
      return () => {
        for (const signal of signals) process.off(signal, listener);
      };
    },
  };
}

function realTerminal(): Terminal {
  const isInteractive = process.stderr.isTTY === true && process.env.TERM !== 'dumb';
  return {
    isInteractive,
    get columns() {
      return process.stderr.columns ?? 80;
    },
    out: (text) => void process.stdout.write(text),
    outTaken: () => taken(process.stdout),
    error: (text) => void process.stderr.write(text),
    onOutput(listener) {
      if (!isInteractive || !process.stdout.isTTY) return () => {};
      const { stdout } = process;
      const write = stdout.write;
      const announced = (...args: Parameters<typeof write>): boolean => {
        listener();
        return write.apply(stdout, args);
      };
      // Parameters<> sees one overload only; all arguments are passed on as they are.
      stdout.write = announced as typeof write;
      return () => {
        stdout.write = write;
      };
    },
  };
}

/** Streams whose reader may have gone: that is no reason to fail. */
const watched = new WeakSet<NodeJS.WriteStream>();

function taken(stream: NodeJS.WriteStream): Promise<boolean> {
  if (!watched.has(stream)) {
    watched.add(stream);
    stream.on('error', () => {}); // EPIPE: `writable` tells
  }
  return new Promise((resolve) => {
    // One turn at least: a reader that has gone is told after the write.
    setImmediate(() => {
      if (!stream.writable || !stream.writableNeedDrain) return resolve(stream.writable);
      const end = (): void => {
        for (const event of ['drain', 'error', 'close']) stream.off(event, end);
        resolve(stream.writable);
      };
      for (const event of ['drain', 'error', 'close']) stream.on(event, end);
    });
  });
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    // A reader that has gone (head, less) must not keep us from ending.
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}
