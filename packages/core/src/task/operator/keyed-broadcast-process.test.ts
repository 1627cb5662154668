import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  BroadcastProcessFunction,
  KeyedBroadcastProcessFunction,
} from '../../function/process-function.ts';
import type { BroadcastState } from '../../state/operator-state.ts';
import { value } from '../../state/descriptors.ts';
import { createOperator } from './create-operator.ts';
import { OperatorBed } from './operator-test-bed.ts';

const state = { seen: value(0) };
type Rule = readonly [name: string, text: string];
type Keyed = KeyedBroadcastProcessFunction<
  string,
  string,
  Rule,
  unknown,
  typeof state,
  string,
  string
>;

const rulesOf = (broadcast: { entries(): Iterable<readonly [string, string]> }): string =>
  [...broadcast.entries()].map(([name, text]) => `${name}=${text}`).join();

const keyed: Keyed = {
  state,
  onRecord(record, { key, state: own, broadcast, emit, timers, timestampMs }) {
    own.seen.set(own.seen.get() + 1);
    timers.registerEventTime(timestampMs + 10);
    emit(`${key}:${record}:${own.seen.get()}:${rulesOf(broadcast)}`);
  },
  onBroadcast([name, text], { broadcast }) {
    broadcast.set(name, text);
  },
  onTimer: (timeMs, { key, broadcast, emit }) => emit(`${key}@${timeMs}:${rulesOf(broadcast)}`),
};

function open(change: Partial<Keyed> = {}): Promise<OperatorBed> {
  return OperatorBed.open(() =>
    createOperator({
      kind: 'keyedBroadcastProcess',
      keyOf: (record) => (record as string)[0]!,
      stateName: 'rules',
      process: { ...keyed, ...change } as never,
    }),
  );
}

test('keyedBroadcastProcess shows the rules of the moment to records and timers', async () => {
  const bed = await open();
  bed.record('a1', 1);
  bed.record2(['r', 'x'], 2);
  await bed.restore(await bed.snapshot());
  bed.record('a2', 3);
  bed.record2(['s', 'y'], 4);
  bed.watermark(11);
  assert.deepEqual(bed.values(), ['a:a1:1:', 'a:a2:2:r=x', 'a@11:r=x,s=y']);
});

test('keyedBroadcastProcess visits the keys that hold a state', async () => {
  const bed = await open({
    onBroadcast(_rule, { applyToKeys, emit }) {
      applyToKeys('seen', (key, seen) => {
        emit([key, seen.get()]);
        seen.clear();
      });
    },
  });
  for (const record of ['a', 'b', 'a']) bed.record(record, 1);
  bed.take();
  bed.record2(['r', 'x']);
  assert.deepEqual([...bed.values()].sort(), [
    ['a', 2],
    ['b', 1],
  ]);
  bed.record2(['r', 'x']);
  assert.deepEqual(bed.values(), []);
});

// Flink takes the key of the last record here, silently (deviation 1).
test('keyedBroadcastProcess fails when the broadcast side touches keyed state', async () => {
  let leaked: (() => unknown)[] = [];
  const bed = await open({
    onRecord(_record, context) {
      const { seen } = context.state;
      leaked = [() => seen.get(), () => seen.set(1), () => context.timers.registerEventTime(9)];
    },
    onBroadcast: ([at], { applyToKeys }) => {
      applyToKeys('seen', () => {});
      leaked[Number(at)]!();
    },
  });
  bed.record('a', 1);
  for (const at of ['0', '1', '2']) {
    bed.record('a', 1);
    assert.throws(() => bed.record2([at, '']), { code: 'NO_CURRENT_KEY' });
  }
});

test('keyedBroadcastProcess gives records no way to change the rules', async () => {
  const bed = await open({
    onRecord: (_record, { broadcast }) => (broadcast as BroadcastState<string, string>).clear(),
  });
  assert.throws(() => bed.record('a', 1), TypeError);
});

test('broadcastProcess does the same without keys', async () => {
  const process: BroadcastProcessFunction<string, Rule, string, string, string> = {
    onRecord: (record, { broadcast, emit, watermarkMs }) =>
      emit(`${record}:${rulesOf(broadcast)}:${watermarkMs}`),
    onBroadcast: ([name, text], { broadcast }) => broadcast.set(name, text),
  };
  const bed = await OperatorBed.open(() =>
    createOperator({ kind: 'broadcastProcess', stateName: 'rules', process: process as never }),
  );
  bed.record2(['r', 'x']);
  await bed.restore(await bed.snapshot());
  bed.watermark(7);
  bed.record('a', 3);
  assert.deepEqual(bed.take(), [{ watermark: 7 }, { value: 'a:r=x:7', at: 3 }]);
});
