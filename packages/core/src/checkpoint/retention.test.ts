import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discardsAtEnd, type RetainedCheckpoint, retain } from './retention.ts';

// Texts: 3 = checkpoint, 3s = savepoint, 3S = the savepoint of a stop.
function idsAfter(numRetained: number, ...steps: string[]): string[] {
  let kept: readonly (RetainedCheckpoint & { text: string })[] = [];
  return steps.map((text) => {
    const snapshotKind = /s$/i.test(text) ? 'savepoint' : 'checkpoint';
    const next = { text, checkpointId: parseInt(text, 10), isStop: text.endsWith('S') };
    kept = retain([...kept, { ...next, snapshotKind } as const], numRetained).retained;
    return kept.map((checkpoint) => checkpoint.text).join(' ');
  });
}

test('retain drops the oldest beyond the limit', () => {
  assert.deepEqual(idsAfter(2, '1', '2', '3'), ['1', '1 2', '2 3']);
});

test('retain keeps the newest checkpoint through any number of savepoints', () => {
  assert.deepEqual(idsAfter(1, '1', '2s', '3s', '4'), ['1', '1 2s', '1 3s', '4']);
});

test('retain keeps nothing for later after a stop', () => {
  assert.deepEqual(idsAfter(1, '1', '2S'), ['1', '2S']);
});

test('retain says what it dropped, oldest first', () => {
  const complete = [1, 2, 3].map((checkpointId) => ({
    checkpointId,
    snapshotKind: 'checkpoint' as const,
    isStop: false,
  }));
  assert.deepEqual(retain(complete, 1).dropped, complete.slice(0, 2));
});

test('discardsAtEnd keeps what a stopped job needs, whatever the option', () => {
  for (const option of ['retain-on-cancellation', 'delete-on-cancellation', 'none'] as const) {
    assert.equal(discardsAtEnd(option, 'stopped'), false);
    assert.equal(discardsAtEnd(option, 'finished'), option !== 'retain-on-cancellation');
    assert.equal(discardsAtEnd(option, 'cancelled'), option !== 'retain-on-cancellation');
    assert.equal(discardsAtEnd(option, 'failed'), option === 'none');
  }
});
