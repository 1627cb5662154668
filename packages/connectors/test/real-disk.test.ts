// Goal: files source and file sink work on the real disk as they do on the one in memory.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { nodeEnvironment } from '@millrace/core/checkpoint';
import { bucketByTime, fileSink, fileSource, jsonLines, jsonLinesOut } from '@millrace/connectors';
import { sinkContext } from './fake-environment.ts';
import { drainWithRestores, SourceDriver } from './source-driver.ts';

interface Order {
  readonly id: number;
  readonly city: string;
}

const orders: readonly Order[] = Array.from({ length: 5_000 }, (_, id) => ({
  id,
  city: ['Zürich', 'Genève', '東京'][id % 3]!,
}));

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-connectors-'));
  try {
    await run(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function linesOf(some: readonly Order[]): string {
  return some.map((order) => `${JSON.stringify(order)}\n`).join('');
}

test('fileSource reads a real directory: plain in ranges, gzip, zstd, deep', async () => {
  await inDirectory(async (directory) => {
    mkdirSync(join(directory, 'deep'));
    writeFileSync(join(directory, 'a.jsonl'), linesOf(orders.slice(0, 2_000)));
    writeFileSync(join(directory, 'b.jsonl.gz'), gzipSync(linesOf(orders.slice(2_000, 3_000))));
    const packed = zstdCompressSync(linesOf(orders.slice(3_000)));
    writeFileSync(join(directory, 'deep', 'c.jsonl.zst'), packed);
    writeFileSync(join(directory, '.d.jsonl.swp'), 'not a record');
    const source = fileSource({
      directory,
      recursive: true,
      include: '*.jsonl*',
      format: jsonLines<Order>(),
      splitSizeBytes: 10_000,
      chunkBytes: 4_096,
    });
    const environment = nodeEnvironment();
    const byId = (a: Order, b: Order): number => a.id - b.id;
    const read = await new SourceDriver(source, environment, 3).drain();
    assert.deepEqual(read.sort(byId), orders);
    const restored = await drainWithRestores(source, environment, 500);
    assert.deepEqual(restored.sort(byId), orders);
    await environment.executor.close();
  });
});

test('fileSource notices that a real file has grown', async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, 'a.jsonl');
    writeFileSync(path, linesOf(orders));
    const environment = nodeEnvironment();
    const source = fileSource({
      path,
      format: jsonLines<Order>(),
      readAheadBytes: 1,
      chunkBytes: 9_000,
    });
    const driver = new SourceDriver(source, environment);
    while ((await driver.step(10))!.length === 0);
    appendFileSync(path, '{}\n');
    await assert.rejects(driver.drain(), { code: 'SOURCE_FILE_CHANGED' });
    await environment.executor.close();
  });
});

test('fileSink names itself when its directory lies below a file', async () => {
  await inDirectory(async (directory) => {
    const environment = nodeEnvironment();
    writeFileSync(join(directory, 'file'), '');
    const sink = fileSink<Order>({
      directory: join(directory, 'file/out'),
      format: jsonLinesOut(),
    });
    const writer = sink.createWriter(sinkContext(environment, { operatorUid: 'totals' }), []);
    writer.write(orders[0]!, 0);
    await assert.rejects(
      async () => writer.prepareCommit(1)(),
      (error: Error & { hint?: string }) => {
        assert.match(error.message, /^sink "totals": could not write .*file\/out/);
        assert.match(error.hint ?? '', /another directory/);
        return true;
      },
    );
    await environment.executor.close();
  });
});

test('fileSink writes on the real disk what fileSource reads back, over a restart', async () => {
  await inDirectory(async (directory) => {
    const environment = nodeEnvironment();
    const sink = fileSink<Order>({
      directory,
      format: jsonLinesOut(),
      bucket: bucketByTime('yyyy/MM-dd'),
      rolling: { maxPartBytes: 20_000 },
    });
    const dayMs = 86_400_000;
    const first = sink.createWriter(sinkContext(environment), []);
    for (const order of orders.slice(0, 3_000)) first.write(order, (order.id % 2) * dayMs);
    const prepared = await first.prepareCommit(1)();
    first.write(orders[0]!, 0); // after the checkpoint: must not be seen
    await first.close();

    const context = sinkContext(environment, { generation: 2 });
    const committer = sink.createCommitter!(context);
    await committer.commit(prepared.committables);
    await sink.recover!(context, prepared.writerStates);
    const second = sink.createWriter(context, prepared.writerStates);
    await second.ready();
    for (const order of orders.slice(3_000)) second.write(order, (order.id % 2) * dayMs);
    second.endInput!();
    await committer.commit((await second.prepareCommit(2)()).committables);
    await second.close();

    const days = readdirSync(join(directory, '1970'));
    assert.deepEqual(days, ['01-01', '01-02']);
    const [part] = readdirSync(join(directory, '1970', '01-02'));
    assert.match(
      readFileSync(join(directory, '1970', '01-02', part!), 'utf8'),
      /^\{"id":\d*[13579],/,
    );
    const back = fileSource({ directory, recursive: true, format: jsonLines<Order>() });
    const read = await new SourceDriver(back, environment, 2).drain();
    assert.deepEqual(
      read.sort((a, b) => a.id - b.id),
      orders,
    );
    await sink.recover!(sinkContext(environment, { generation: 3 }), []);
    const staging = readdirSync(directory).filter((name) => name.startsWith('.'));
    assert.deepEqual(readdirSync(join(directory, staging[0]!)), []);
    await environment.executor.close();
  });
});
