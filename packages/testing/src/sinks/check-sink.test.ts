// Goal: the verdict of `checkSink` is the truth about a sink. Method: sinks whose promise is known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileSink, linesOut, memorySink, printSink } from '@millrace/connectors';
import type { FileSystem } from '@millrace/core/host';
import { SeededRandom } from '../environment/seeded-random.ts';
import { virtualTransactionalSink } from '../servers/transactional-sink.ts';
import { VirtualBroker } from '../servers/virtual-broker.ts';
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
  const what = `rolling ${JSON.stringify(rolling)}`;
  test(`checkSink finds the file sink exactly-once, ${what}`, async () => {
    const report = await checkSink({
      setUp: () => ({
        sink: () => fileSink<string>({ directory: '/out', format: linesOut(), rolling }),
        read: ({ fileSystem }) => finishedLines(fileSystem, '/out'),
      }),
      record: (index) => `line ${index}`,
      points: 15,
    });
    assertExactlyOnce(report);
    assert.ok(report.crashes > 300, report.text);
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

test('checkSink finds the sink of the virtual broker exactly-once', async () => {
  const report = await checkSink<string>({
    setUp() {
      const broker = new VirtualBroker({ random: new SeededRandom(1), topics: { out: 3 } });
      return {
        sink: () => virtualTransactionalSink<string>(broker, { topic: 'out' }),
        async read(environment) {
          // Calls tell the broker how late it is; then it aborts what has timed out.
          const client = broker.connect(environment);
          for (let call = 0; call < 3; call++) {
            await client.listTransactions('');
            await new Promise<void>((resolve) => void environment.scheduler.after(200, resolve));
          }
          return broker.values('out');
        },
      };
    },
    record: (index) => `line ${index}`,
    points: 15,
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
