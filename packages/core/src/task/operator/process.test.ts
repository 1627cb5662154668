import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operatorList } from '../../function/process-function.ts';
import type { ProcessFunction } from '../../function/process-function.ts';
import { createOperator } from './create-operator.ts';
import { OperatorBed } from './operator-test-bed.ts';

const lists = { held: operatorList<number>() };
type Process = ProcessFunction<number, unknown, typeof lists>;

function open(process: Process): Promise<OperatorBed> {
  return OperatorBed.open(() => createOperator({ kind: 'process', process: process as never }));
}

const pairing: Process = {
  operatorState: lists,
  open: ({ lists: { held }, emit }) => emit(`opened with ${held.get().length}`),
  onRecord(value, { lists: { held }, emit, watermarkMs, timestampMs }) {
    held.add(value);
    if (held.get().length < 2) return;
    emit([...held.get(), watermarkMs, timestampMs]);
    held.update([]);
  },
  onEnd: ({ lists: { held }, emit }) => held.get().forEach((value) => void emit(value)),
};

test('process keeps lists of the operator, over a restore too', async () => {
  const bed = await open(pairing);
  bed.record(1, 10);
  const snapshot = await bed.snapshot();
  bed.record(100, 11);
  await bed.restore(snapshot);
  bed.take();
  bed.watermark(9);
  bed.record(2, 12);
  assert.deepEqual(bed.values(), [[1, 2, 9, 12]]);
});

test('process calls open with the restored lists, and onEnd at the end', async () => {
  const bed = await open(pairing);
  bed.record(1, 10);
  await bed.restore(await bed.snapshot());
  assert.equal(bed.operator.finish?.(), true);
  assert.deepEqual(bed.take(), [
    { value: 'opened with 0', at: null },
    { value: 'opened with 1', at: null },
    { value: 1, at: null },
  ]);
});

test('process refuses promises from each callback', async () => {
  const refused = { code: 'PROMISE_IN_SYNC_FUNCTION' };
  await assert.rejects(open({ open: async () => {}, onRecord() {} }), refused);
  const bed = await open({ onRecord: async () => {}, onEnd: async () => {} });
  assert.throws(() => bed.record(1), refused);
  assert.throws(() => bed.operator.finish?.(), refused);
});
