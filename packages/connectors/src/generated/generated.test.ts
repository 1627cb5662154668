import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeDisk } from '../../test/fake-disk.ts';
import { fakeEnvironment } from '../../test/fake-environment.ts';
import { drainWithRestores, SourceDriver } from '../../test/source-driver.ts';
import { type DatagenOptions, datagen } from './datagen.ts';
import { IndexedRandom } from './indexed-random.ts';
import { fromArray, memorySource } from './memory-source.ts';

const environment = fakeEnvironment(new FakeDisk());
const make: DatagenOptions<string>['make'] = (index, random) => `${index}:${random.next()}`;

test('datagen makes the same records whatever the parallelism, the seed deciding', async () => {
  const read = async (parallelism: number, seed = 7): Promise<string[]> => {
    const source = datagen({ count: 100, seed, make });
    return (await new SourceDriver(source, environment, parallelism).drain(9)).sort();
  };
  const alone = await read(1);
  assert.equal(new Set(alone.map((text) => text.split(':')[1])).size, 100);
  assert.deepEqual(await read(3), alone);
  assert.deepEqual(await read(200), alone);
  assert.notDeepEqual(await read(1, 8), alone);
});

test('datagen goes on at the exact record after a restore', async () => {
  for (const count of [0, 1, 50]) {
    const source = datagen({ count, make, splits: 4 });
    const records = await drainWithRestores(source, environment, 3);
    assert.equal(new Set(records).size, count);
    assert.equal(records.length, count);
  }
});

test('datagen keeps to its rate over all splits, and does not flood after a pause', async () => {
  const clocked = fakeEnvironment(new FakeDisk());
  const source = datagen({ ratePerSecond: 10, make, splits: 2 });
  assert.equal(source.boundedness, 'continuous');
  const driver = new SourceDriver(source, clocked, 2);
  const run = async (ms: number, stepMs: number): Promise<number> => {
    let count = 0;
    for (let at = 0; at < ms; at += stepMs) {
      clocked.advance(stepMs);
      for (let i = 0; i < 3; i++) count += (await driver.step(100))!.length;
    }
    return count;
  };
  await run(100, 100);
  assert.equal(await run(3_000, 50), 30);
  const afterPause = await run(60_000, 60_000);
  assert.ok(afterPause <= 12, `${afterPause} records after a pause of a minute`);
});

test('datagen stamps records, out of order within the bound', async () => {
  const source = datagen({
    count: 500,
    make: (index) => index,
    timestamp: (_, index) => index * 10,
    outOfOrdernessMs: 100,
  });
  const random = new IndexedRandom(1);
  assert.equal(random.startAt(5).next(), random.startAt(5).next());
  let stamps: number[] = [];
  const reader = source.createReader({
    environment,
    subtaskIndex: 0,
    parallelism: 1,
    metrics: new SourceDriver(fromArray([]), environment).metrics,
    requestSplits() {},
  });
  reader.addSplits([{ splitId: '0', next: 0, stride: 1 }]);
  const polled = reader.poll(500);
  if (typeof polled === 'object') stamps = [...polled.batch.timestamps];
  assert.ok(stamps.every((stamp, i) => stamp <= i * 10 && stamp >= i * 10 - 100));
  assert.ok(stamps.some((stamp, i) => i > 0 && stamp < stamps[i - 1]!));
});

test('memory source reads its lists and resumes in them', async () => {
  assert.deepEqual(
    await drainWithRestores(fromArray([1, 2, 3, 4, 5]), environment, 2),
    [1, 2, 3, 4, 5],
  );
  const source = memorySource({ splits: [[1, 2, 3], [], [4]] });
  assert.deepEqual((await drainWithRestores(source, environment, 1)).sort(), [1, 2, 3, 4]);
  assert.deepEqual(await new SourceDriver(fromArray([]), environment, 2).drain(), []);
});
