// Goal: what a restore would do can be read at a glance. Method: one change of every sort.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Manifest, StateChange } from '@millrace/core/checkpoint';
import { UsageError } from '../command/command-errors.ts';
import { restoreData, restoreText } from './restore-summary.ts';

// Only what the summary looks at.
const manifest = {
  kind: 'savepoint',
  checkpointId: 7,
  jobName: 'orders',
  completedAtMs: 0,
} as Manifest;

function change(change: StateChange['change'], more: Partial<StateChange>): StateChange {
  const stored = { storedVersions: [], version: 2, isInternal: false, error: null };
  return { operatorUid: 'totals', state: 'sum', kind: 'value', change, ...stored, ...more };
}

const error = new UsageError('no migrate', { command: '' }, { hint: 'Write one.' });
const changes: readonly StateChange[] = [
  change('kept', { state: 'seen' }),
  change('new', { state: 'late' }),
  change('migrated', { storedVersions: [1, 2] }),
  change('migrated', { state: 'old', storedVersions: [1, 2, 3], version: 4 }),
  change('dropped', { operatorUid: 'gone', state: null }),
  change('kept', { state: 'timers/event', isInternal: true }),
  change('new', { state: 'timers/processing', isInternal: true }),
  change('refused', { state: 'max', error }),
];

test('restoreText puts what needs attention first and sums up what is Millrace’s own', () => {
  assert.equal(
    restoreText(manifest, changes),
    [
      'restored from savepoint 7 of job "orders" (1970-01-01 00:00:00 UTC)',
      '  totals.max: REFUSED: no migrate',
      '    hint: Write one.',
      '  gone: all its state dropped',
      '  totals.sum: version 1 -> 2, migrated when read',
      '  totals.old: versions 1, 2, 3 -> 4, migrated when read',
      '  totals.late: new, begins empty',
      '  totals.seen: kept (version 2)',
      "  Millrace's own (positions, windows, timers): 1 state kept",
      '  The job cannot be restored from it: it would refuse to start.',
      '',
    ].join('\n'),
  );
});

test('restoreData keeps the code and the hint of a refusal', () => {
  const data = JSON.parse(JSON.stringify(restoreData(manifest, changes)));
  assert.deepEqual(data.snapshot.checkpointId, 7);
  assert.deepEqual(data.changes.at(-1).error, {
    code: 'USAGE',
    message: 'no migrate',
    hint: 'Write one.',
  });
});
