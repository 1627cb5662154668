// Goal: L1 to L5, one test per edge. Races with storage: coordinator/log-owner.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CorruptLogError } from './checkpoint-errors.ts';
import { slotPath } from './paths.ts';
import {
  type CheckpointSlot,
  type ClaimSlot,
  countingSequences,
  decodeSlot,
  encodeSlot,
  judgeSlot,
  latestOf,
  prunableSequences,
  readLog,
  type Slot,
} from './slot-log.ts';

function claim(generation: number, more: Partial<ClaimSlot> = {}): ClaimSlot {
  return {
    kind: 'claim',
    generation,
    jobName: 'j',
    instanceId: 'i',
    isFresh: false,
    nextCheckpointId: 1,
    writer: `w${generation}`,
    atMs: 0,
    ...more,
  };
}

function checkpoint(generation: number, checkpointId: number): CheckpointSlot {
  return {
    kind: 'checkpoint',
    generation,
    jobName: 'j',
    instanceId: 'i',
    checkpointId,
    snapshotKind: 'checkpoint',
    isStop: false,
    manifest: `chk-${checkpointId}/manifest.json`,
    manifestCrc32: 1,
    writer: `w${generation}`,
    atMs: 0,
  };
}

function logOf(first: number, slots: readonly Slot[]) {
  return readLog(slots.map((slot, index) => ({ sequence: first + index, slot })));
}

test('a slot is read as it was written, and every changed bit is found', () => {
  const bytes = encodeSlot(checkpoint(1, 5));
  assert.deepEqual(decodeSlot(bytes, 's'), checkpoint(1, 5));
  for (let at = 0; at < bytes.length; at++) {
    bytes[at]! ^= 1;
    assert.throws(() => decodeSlot(bytes, 's'), CorruptLogError);
    bytes[at]! ^= 1;
  }
});

test('countingSequences takes the unbroken row up to the highest slot', () => {
  const names = [1, 2, 5, 6, 7].map(slotPath).concat('log/x', 'chk-1/manifest.json');
  assert.deepEqual(countingSequences(names), [5, 6, 7]);
  assert.deepEqual(countingSequences([]), []);
});

test('readLog counts a checkpoint only behind the claim of its generation (L2, L4)', () => {
  const log = logOf(7, [
    checkpoint(3, 40),
    claim(8),
    checkpoint(8, 41),
    checkpoint(3, 99),
    claim(11),
    checkpoint(8, 42),
    checkpoint(11, 43),
  ]);
  assert.deepEqual(
    log.checkpoints.map(({ slot }) => slot.checkpointId),
    [41, 43],
  );
  assert.equal(log.highestSequence, 13);
  assert.equal(log.claim?.generation, 11);
  assert.equal(log.nextCheckpointId, 100, 'an id that was seen is never used again');
});

test('readLog goes on behind a renewed claim of the same generation', () => {
  const log = logOf(1, [claim(1), checkpoint(1, 1), claim(1), checkpoint(1, 2)]);
  assert.deepEqual(log.checkpoints.length, 2);
});

test('readLog forgets what is before a fresh claim, but no id', () => {
  const log = logOf(1, [claim(1), checkpoint(1, 7), claim(3, { isFresh: true })]);
  assert.deepEqual([latestOf(log), log.nextCheckpointId], [null, 8]);
});

test('latestOf takes the greatest id, not the last slot', () => {
  const log = logOf(1, [claim(1), checkpoint(1, 9), checkpoint(1, 8)]);
  assert.equal(latestOf(log)?.checkpointId, 9);
});

test('judgeSlot decides every outcome', () => {
  const mine = checkpoint(1, 5);
  assert.equal(judgeSlot(mine, 9, 'created', null, 9), 'won');
  assert.equal(judgeSlot(mine, 9, 'created', null, 12), 'lost', 'L3: it had been pruned');
  assert.equal(judgeSlot(mine, 9, 'created', null, null), 'unknown', 'no list, no winner');
  assert.equal(judgeSlot(mine, 9, 'unknown', null, 9), 'unknown', 'L5: try again');
  assert.equal(judgeSlot(mine, 9, 'exists', null, 9), 'unknown', 'L5: read it');
  assert.equal(judgeSlot(mine, 9, 'exists', mine, 9), 'won', 'L5: an earlier try succeeded');
  assert.equal(judgeSlot(mine, 9, 'exists', mine, 10), 'lost');
  assert.equal(judgeSlot(mine, 9, 'exists', claim(9), 9), 'lost');
  assert.equal(judgeSlot(mine, 9, 'exists', checkpoint(1, 4), 9), 'lost');
});

test('prunableSequences keeps a row that begins with a claim', () => {
  const sequences = [1, 2, 3, 4, 5, 6, 7];
  assert.deepEqual(prunableSequences(sequences, [1, 4], [6]), [1, 2, 3]);
  assert.deepEqual(prunableSequences(sequences, [1, 4], [3, 6]), []);
  assert.deepEqual(prunableSequences(sequences, [1, 4, 7], []), [1, 2, 3, 4, 5, 6]);
});
