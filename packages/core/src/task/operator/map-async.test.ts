import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AsyncFunctionOptions } from '../../function/process-function.ts';
import { createOperator } from './create-operator.ts';
import { OperatorBed } from './operator-test-bed.ts';

type Options = AsyncFunctionOptions<unknown, unknown>;

/** The called system: its answers are given by the test. */
class Remote {
  readonly invoked: string[] = [];
  readonly signals = new Map<string, AbortSignal>();
  readonly #open = new Map<string, PromiseWithResolvers<unknown>>();

  readonly call = (id: unknown, { signal }: { signal: AbortSignal }): Promise<unknown> => {
    const answer = Promise.withResolvers<unknown>();
    this.invoked.push(id as string);
    this.signals.set(id as string, signal);
    this.#open.set(id as string, answer);
    return answer.promise;
  };

  answer(id: string, value: unknown = id.toUpperCase()): void {
    this.#open.get(id)!.resolve(value);
  }

  fail(id: string, error = new Error(`${id} failed`)): void {
    this.#open.get(id)!.reject(error);
  }
}

async function open(options: Options = {}): Promise<{ bed: OperatorBed; remote: Remote }> {
  const remote = new Remote();
  const bed = await OperatorBed.open(() =>
    createOperator({ kind: 'mapAsync', call: remote.call, options }),
  );
  return { bed, remote };
}

function records(bed: OperatorBed, ...ids: string[]): void {
  ids.forEach((id, i) => void bed.record(id, i + 1));
}

test('mapAsync ordered emits in the order of inputs, with their timestamps', async () => {
  const { bed, remote } = await open();
  records(bed, 'a', 'b', 'c');
  bed.watermark(5);
  remote.answer('b');
  remote.answer('c');
  await bed.settle();
  assert.deepEqual(bed.take(), []);
  remote.answer('a');
  await bed.settle();
  assert.deepEqual(bed.take(), [
    { value: 'A', at: 1 },
    { value: 'B', at: 2 },
    { value: 'C', at: 3 },
    { watermark: 5 },
  ]);
});

test('mapAsync unordered overtakes records, never watermarks', async () => {
  const { bed, remote } = await open({ order: 'unordered' });
  records(bed, 'a', 'b');
  bed.watermark(5);
  bed.record('c', 6);
  for (const id of ['c', 'b']) remote.answer(id);
  await bed.settle();
  assert.deepEqual(bed.take(), [{ value: 'B', at: 2 }]);
  remote.answer('a');
  await bed.settle();
  assert.deepEqual(bed.take(), [{ value: 'A', at: 1 }, { watermark: 5 }, { value: 'C', at: 6 }]);
});

test('mapAsync lets a watermark pass at once when nothing is in flight', async () => {
  const { bed } = await open();
  bed.watermark(3);
  assert.deepEqual(bed.take(), [{ watermark: 3 }]);
});

test('mapAsync calls again after a restore what was not emitted, in order', async () => {
  for (const order of ['ordered', 'unordered'] as const) {
    const { bed, remote } = await open({ order });
    records(bed, 'a', 'b', 'c');
    bed.watermark(9);
    bed.record('d', Number.NaN);
    for (const id of ['d', 'c']) remote.answer(id);
    await bed.settle();
    bed.take();
    const snapshot = await bed.snapshot();
    remote.invoked.length = 0;
    await bed.restore(snapshot);
    const held = order === 'ordered' ? ['a', 'b', 'c', 'd'] : ['a', 'b', 'd'];
    assert.deepEqual(remote.invoked, held);
    bed.record('e', 10);
    for (const id of [...held, 'e']) remote.answer(id);
    await bed.settle();
    assert.deepEqual(bed.values(), [...held.map((id) => id.toUpperCase()), 'E']);
    assert.deepEqual((await bed.snapshot()).lists[0]?.elements, []);
  }
});

test('mapAsync is blocked at capacity and never calls more at a time', async () => {
  const { bed, remote } = await open({ capacity: 2 });
  records(bed, 'a', 'b');
  assert.equal(bed.operator.isBlocked?.(), true);
  records(bed, 'c', 'd'); // a record in mid-chain can become many
  assert.deepEqual(remote.invoked, ['a', 'b']);
  remote.answer('b');
  await bed.settle();
  assert.deepEqual(remote.invoked, ['a', 'b', 'c']);
  remote.answer('a');
  await bed.settle();
  assert.deepEqual(remote.invoked, ['a', 'b', 'c', 'd']);
  assert.equal(bed.operator.isBlocked?.(), true);
  for (const id of ['c', 'd']) remote.answer(id);
  await bed.settle();
  assert.equal(bed.operator.isBlocked?.(), false);
  assert.deepEqual(bed.values(), ['A', 'B', 'C', 'D']);
});

// The rest of a batch stands before the wake-up: only `process` can then make room.
test('mapAsync makes room when a record comes before its wake-up', async () => {
  const { bed, remote } = await open({ capacity: 1, timeoutMs: 50, onTimeout: 'drop' });
  bed.record('a', 1);
  assert.equal(bed.operator.isBlocked?.(), true);
  remote.answer('a');
  for (let i = 0; i < 5; i++) await Promise.resolve();
  assert.equal(bed.operator.isBlocked?.(), false);
  bed.record('b', 2);
  assert.deepEqual(bed.values(), ['A']);
  assert.equal(bed.operator.isBlocked?.(), true);
  bed.nowMs = 50; // b's time is over, and nobody has called onProcessingTime
  assert.equal(bed.operator.isBlocked?.(), false);
  bed.record('c', 3);
  assert.deepEqual(remote.invoked, ['a', 'b', 'c']);
});

test('mapAsync stops between two results and goes on', async () => {
  const { bed, remote } = await open();
  records(bed, 'a', 'b', 'c');
  for (const id of ['c', 'b', 'a']) remote.answer(id);
  bed.yieldAlways = true;
  for (let i = 0; i < 5; i++) await Promise.resolve();
  assert.equal(bed.operator.onWake?.(), false);
  assert.deepEqual(bed.values(), ['A']);
  assert.equal(bed.operator.isBlocked?.(), false);
  assert.equal(bed.operator.onWatermark?.(7), false);
  assert.equal(bed.watermark(7), 3); // C, the watermark, the end: it is added once only
  assert.deepEqual(bed.take(), [{ value: 'B', at: 2 }, { value: 'C', at: 3 }, { watermark: 7 }]);
});

test('mapAsync fails with what the function threw, at once or later', async () => {
  const { bed, remote } = await open();
  bed.record('a', 1);
  remote.fail('a');
  await assert.rejects(bed.settle(), /a failed/);
  const sync = await OperatorBed.open(() =>
    createOperator({
      kind: 'mapAsync',
      options: {},
      call: () => {
        throw new Error('at once');
      },
    }),
  );
  sync.record('a', 1);
  await assert.rejects(sync.settle(), /at once/);
});

test('mapAsync fails, falls back or drops at the time-out, and ignores a late answer', async () => {
  const failing = await open({ timeoutMs: 100 });
  failing.bed.record('a', 1);
  assert.equal(failing.bed.wakeUpMs, 100);
  assert.throws(() => failing.bed.clock(100), { code: 'ASYNC_TIMEOUT' });
  assert.equal(failing.remote.signals.get('a')?.aborted, true);

  const fallback = (id: unknown) => [`no ${id}`, 'really'];
  const falling = await open({ timeoutMs: 100, onTimeout: 'fallback', fallback });
  falling.bed.record('a', 1);
  falling.bed.clock(99);
  assert.deepEqual(falling.bed.take(), []);
  falling.bed.clock(100);
  falling.remote.answer('a');
  await falling.bed.settle();
  assert.deepEqual(falling.bed.take(), [
    { value: 'no a', at: 1 },
    { value: 'really', at: 1 },
  ]);

  const dropping = await open({ timeoutMs: 100, onTimeout: 'drop' });
  dropping.bed.record('a', 1);
  dropping.bed.clock(50);
  dropping.bed.record('b', 2);
  dropping.remote.answer('b');
  await dropping.bed.settle();
  assert.deepEqual(dropping.bed.take(), []);
  dropping.bed.clock(100);
  assert.deepEqual(dropping.bed.take(), [{ value: 'B', at: 2 }]);
});

test('mapAsync retries with a growing delay until the attempts are used up', async () => {
  const { bed, remote } = await open({
    retry: { maxAttempts: 3, delayMs: 10, multiplier: 2 },
  });
  bed.record('a', 1);
  remote.fail('a');
  await bed.settle();
  assert.equal(bed.wakeUpMs, 10);
  bed.clock(10);
  remote.fail('a');
  await bed.settle();
  assert.equal(bed.wakeUpMs, 30);
  bed.clock(29);
  assert.equal(remote.invoked.length, 2);
  bed.clock(30);
  assert.equal(remote.invoked.length, 3);
  remote.fail('a');
  await assert.rejects(bed.settle(), /a failed/);
});

test('mapAsync retries only what is worth it, and the time-out is over all retries', async () => {
  const retry = { maxAttempts: 9, delayMs: 40, retryIf: (e: unknown) => e instanceof RangeError };
  const { bed, remote } = await open({ retry, timeoutMs: 100, onTimeout: 'drop' });
  records(bed, 'a', 'b');
  remote.fail('a', new RangeError('again'));
  await bed.settle();
  bed.clock(40);
  assert.deepEqual(remote.invoked, ['a', 'b', 'a']);
  bed.clock(100);
  await bed.settle();
  assert.deepEqual((await bed.snapshot()).lists[0]?.elements, []);
  bed.record('c', 3);
  remote.fail('c', new TypeError('never'));
  await assert.rejects(bed.settle(), TypeError);
});

test('mapAsync finishes when everything is out, and needs no turn while it waits', async () => {
  const { bed, remote } = await open({ capacity: 5 });
  records(bed, 'a', 'b');
  bed.watermark(Number.POSITIVE_INFINITY);
  assert.equal(bed.operator.finish?.(), false);
  assert.equal(bed.operator.isBlocked?.(), true);
  remote.answer('b');
  remote.answer('a');
  for (let i = 0; i < 5; i++) await Promise.resolve();
  assert.equal(bed.operator.isBlocked?.(), false);
  assert.equal(bed.operator.finish?.(), true);
  assert.equal(bed.operator.isBlocked?.(), false);
  assert.deepEqual(bed.take(), [
    { value: 'A', at: 1 },
    { value: 'B', at: 2 },
    { watermark: Number.POSITIVE_INFINITY },
  ]);
});

test('mapAsync aborts its calls when it is closed, and hears no answer any more', async () => {
  const { bed, remote } = await open();
  bed.record('a', 1);
  await bed.operator.close();
  assert.equal(remote.signals.get('a')?.aborted, true);
  remote.fail('a');
  await bed.settle();
  assert.deepEqual(bed.take(), []);
});

test('mapAsync refuses options that make no sense', () => {
  const bad: Options[] = [
    { capacity: 0 },
    { onTimeout: 'fallback', timeoutMs: 5 },
    { retry: { maxAttempts: 0, delayMs: 1 } },
  ];
  for (const options of bad) {
    assert.throws(
      () => createOperator({ kind: 'mapAsync', call: () => Promise.resolve(), options }),
      { code: 'INVALID_OPTION' },
    );
  }
});
