// Goal: from files to files through the real engine, each record once, over many restarts. Method:
// a function that fails now and then, and a run that is cancelled and begun again.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { job, run, type RunOptions } from '@millrace/core';
import { fileSink, fileSource, jsonLines, jsonLinesOut, memorySink } from '@millrace/connectors';

interface Numbered {
  readonly n: number;
}

function linesOf(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => `${JSON.stringify({ n: from + i })}\n`).join(
    '',
  );
}

function finishedNumbers(directory: string): number[] {
  const names = readdirSync(directory).filter((name) => !name.startsWith('.'));
  return names
    .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line).n)
    .sort((a, b) => a - b);
}

test('files to files through the engine: each record once, whatever fails', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-engine-'));
  const input = join(directory, 'in');
  const output = join(directory, 'out');
  mkdirSync(input);
  writeFileSync(join(input, 'a.jsonl'), `${linesOf(0, 20_000)}{"n":\n`);
  writeFileSync(join(input, 'b.jsonl.gz'), gzipSync(linesOf(20_000, 40_000)));
  let failures = 0;
  let seen = 0;
  const dead = memorySink<string>();
  const copy = job('copy', (flow) => {
    const source = flow.from(
      'in',
      fileSource({
        directory: input,
        format: jsonLines<Numbered>(),
        onMalformed: 'dead-letter',
        splitSizeBytes: 50_000,
        chunkBytes: 8_192,
      }),
    );
    source
      .deadLetters()
      .map(({ origin }) => origin)
      .to('dead', dead);
    source
      .map((value) => {
        if (++seen % 17_000 === 0 && failures++ < 5) throw new Error('now and then');
        return value;
      })
      .to('out', fileSink({ directory: output, format: jsonLinesOut<Numbered>() }));
  });
  const options: RunOptions = {
    parallelism: 2,
    checkpoints: { directory: join(directory, 'checkpoints'), intervalMs: 10 },
    restart: { kind: 'fixedDelay', attempts: 20, delayMs: 1 },
  };
  try {
    const first = await run(copy, options);
    await Promise.race([first.done.catch(() => {}), new Promise((done) => setTimeout(done, 60))]);
    await first.cancel();
    await (await run(copy, options)).done;
    assert.deepEqual(
      finishedNumbers(output),
      Array.from({ length: 40_000 }, (_, n) => n),
    );
    assert.equal(dead.values().length, 1);
    assert.match(dead.values()[0]!, /a\.jsonl, line \d+ behind byte \d+$/);
    assert.ok(failures > 0, 'something failed');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
