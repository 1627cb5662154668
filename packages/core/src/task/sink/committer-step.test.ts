// Goal: X1 to X3, one test per edge of the drawing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommitOutcome } from '../../function/sink.ts';
import {
  addCommittables,
  type CommitterState,
  completeUpTo,
  initialCommitterState,
  nextCommit,
  onOutcomes,
  unconfirmed,
} from './committer-step.ts';

const DONE: CommitOutcome = { kind: 'committed' };
const LATER: CommitOutcome = { kind: 'retryLater', reason: 'busy' };

function stateWith(...bundles: (readonly [number, ...string[]])[]): CommitterState {
  return bundles.reduce<CommitterState>(
    (state, [id, ...committables]) => addCommittables(state, id, committables),
    initialCommitterState(2),
  );
}

test('committer commits nothing before its checkpoint is complete, and then once', () => {
  const waiting = stateWith([1, 'a']);
  assert.equal(nextCommit(waiting), null);
  const due = completeUpTo(waiting, 1);
  assert.deepEqual(nextCommit(due)?.committables, ['a']);
  const { state } = onOutcomes(due, [DONE]);
  assert.equal(nextCommit(completeUpTo(state, 1)), null);
  assert.deepEqual(unconfirmed(state), []);
});

test('committer commits oldest first, one checkpoint at a time, aborted ones with the next', () => {
  const due = completeUpTo(stateWith([1, 'a'], [2, 'b', 'c'], [3, 'd']), 2);
  assert.deepEqual(nextCommit(due)?.committables, ['a']);
  const { state } = onOutcomes(due, [DONE]);
  assert.deepEqual(nextCommit(state)?.committables, ['b', 'c']);
  assert.deepEqual(unconfirmed(state), ['b', 'c', 'd'], 'X1');
});

test('committer tries again only what asked for it, at most so many times', () => {
  let state = completeUpTo(stateWith([1, 'a', 'b']), 1);
  for (let tries = 0; tries < 2; tries++) {
    const outcomes = tries === 0 ? [LATER, DONE] : [LATER];
    const answer = onOutcomes(state, outcomes);
    assert.deepEqual([answer.retry, answer.failure], [true, undefined]);
    state = answer.state;
    assert.deepEqual(nextCommit(state)?.committables, ['a']);
  }
  const last = onOutcomes(state, [LATER]);
  assert.equal(last.retry, false);
  assert.ok(last.failure instanceof Error);
  assert.deepEqual(unconfirmed(last.state), ['a'], 'X1: a restored job commits it again');
});

test('committer drops and reports what is rejected, and goes on', () => {
  const error = new Error('too old');
  const due = completeUpTo(stateWith([1, 'a', 'b']), 1);
  const answer = onOutcomes(due, [{ kind: 'rejected', error }, { kind: 'alreadyCommitted' }]);
  assert.deepEqual(answer.rejected, [error]);
  assert.deepEqual([answer.failure, unconfirmed(answer.state)], [undefined, []]);
});

test('committer fails on an unknown outcome and keeps the committable', () => {
  const error = new Error('lost');
  const answer = onOutcomes(completeUpTo(stateWith([1, 'a']), 1), [{ kind: 'failed', error }]);
  assert.equal(answer.failure, error);
  assert.deepEqual(unconfirmed(answer.state), ['a']);
});

test('committer keeps what got no outcome at all', () => {
  const { state } = onOutcomes(completeUpTo(stateWith([1, 'a', 'b']), 1), [DONE]);
  assert.deepEqual(unconfirmed(state), ['b']);
});
