// Goal: the verdict of `checkSink` is the truth about a sink. Method: sinks whose promise is known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileSink, linesOut, memorySink, printSink } from '@millrace/connectors';
import type { FileSystem } from '@millrace/core/host';
import { checkSink } from './check-sink.ts';
import { assertAtLeastOnce, assertExactlyOnce } from './sink-report.ts';

async function finishedLines(fileSystem: FileSystem, directory: string): Promise<string[]> {
  const lines: string[] = [];
  for (const { name, kind } of await fileSystem.list(directory)) {
    if (kind !== 'file' || name.startsWith('.')) continue;
    const text = new TextDecoder().decode(await fileSystem.readFile(`${directory}/${name}`));
    lines.push(...text.split('\n').filter((line) => line !== ''));
  }
  return lines;
}

for (const rolling of ['onCheckpoint', { maxPartBytes: 8 }, {}] as const) {
  test(`checkSink finds the file sink exactly-once, rolling ${JSON.stringify(rolling)}`, async () => {
    const report = await checkSink({
      setUp: () => ({
        sink: () => fileSink<string>({ directory: '/out', format: linesOut(), rolling }),
        read: ({ fileSystem }) => finishedLines(fileSystem, '/out'),
      }),
      record: (index) => `line ${index}`,
      points: 25,
    });
    assertExactlyOnce(report);
    assert.ok(report.crashes > 500, report.text);
  });
}

test('checkSink finds the memory sink exactly-once', async () => {
  const report = await checkSink<number>({
    setUp: () => {
      const sink = memorySink<number>();
      return { sink: () => sink, read: () => sink.values() };
    },
    record: (index) => index,
  });
  assertExactlyOnce(report);
});

test('checkSink finds the print sink at-least-once', async () => {
  const report = await checkSink<string>({
    setUp: () => {
      let printed = '';
      const stream = { write: (text: string) => (printed += text) };
      return {
        sink: () => printSink<string>({ stream }),
        read: () => printed.split('\n').filter((line) => line !== ''),
      };
    },
    record: (index) => `line ${index}`,
  });
  assertAtLeastOnce(report);
  assert.equal(report.verdict, 'at-least-once', report.text);
  assert.throws(() => assertExactlyOnce(report), { name: 'AssertionError' });
});
