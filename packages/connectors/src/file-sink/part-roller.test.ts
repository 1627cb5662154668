// The rules come from Flink's bucket writer and rolling policies; the names of the cases are ours.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartRoller } from './part-roller.ts';

function write(roller: PartRoller, bytes: number, nowMs = 0, bucket = 'b'): number {
  const { part } = roller.partFor(bucket, nowMs);
  roller.wrote(bucket, bytes, nowMs);
  return part.counter;
}

test('PartRoller tests the size before a record: over by one record at most', () => {
  const roller = new PartRoller({ maxPartBytes: 10 });
  assert.deepEqual(
    [4, 4, 4, 4].map((bytes) => write(roller, bytes)),
    [0, 0, 0, 1],
  );
});

test('PartRoller goes on with a part of exactly the limit', () => {
  const roller = new PartRoller({ maxPartBytes: 8 });
  assert.deepEqual(
    [4, 4, 4, 4].map((bytes) => write(roller, bytes)),
    [0, 0, 0, 1],
  );
});

test('PartRoller closes by age although records keep coming', () => {
  const roller = new PartRoller({ rolloverMs: 1_000, inactivityMs: 100_000 });
  write(roller, 1, 0);
  write(roller, 1, 999);
  assert.deepEqual(roller.onTick(999), []);
  assert.equal(roller.onTick(1_000).length, 1);
});

test('PartRoller closes by idleness, counted from the last record', () => {
  const roller = new PartRoller({ rolloverMs: 100_000, inactivityMs: 1_000 });
  write(roller, 1, 0);
  write(roller, 1, 500);
  assert.deepEqual(roller.onTick(1_000), []);
  assert.equal(roller.onTick(1_500).length, 1);
  assert.deepEqual(roller.open, []);
});

test('PartRoller closes at a checkpoint by its policy', () => {
  const byCheckpoint = new PartRoller('onCheckpoint');
  assert.deepEqual([write(byCheckpoint, 1e12), write(byCheckpoint, 1)], [0, 0]);
  assert.deepEqual(byCheckpoint.onTick(1e12), []);
  assert.equal(byCheckpoint.onCheckpoint().length, 1);
  const bySize = new PartRoller({ maxPartBytes: 8 });
  write(bySize, 8, 0, 'full');
  write(bySize, 9, 0, 'over');
  assert.deepEqual(
    bySize.onCheckpoint().map(({ bucket }) => bucket),
    ['over'],
  );
});

test('PartRoller keeps one part per bucket, over a restore and a rescale too', () => {
  const roller = new PartRoller({ rolloverMs: 1_000, inactivityMs: 500 });
  assert.equal(roller.restore('b', 7, 100).isOpen, true);
  const second = roller.restore('b', 3, 200);
  assert.deepEqual([second.isOpen, second.part.sizeBytes, second.part.counter], [false, 3, 1]);
  assert.equal(write(roller, 1, 650), 0);
  assert.deepEqual(roller.onTick(1_099), []);
  assert.equal(roller.onTick(1_100).length, 1, 'the age counts from before the restore');
  assert.deepEqual(roller.endInput(), []);
});
