import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyedStateStore, Operator, OperatorContext } from '@millrace/core/host';
import { value, type ValueState } from '@millrace/core';
import { clock, endOfInput, record, sideRecord, watermark } from './harness-elements.ts';
import { OperatorHarness } from './operator-harness.ts';
import { VERIFY_MODES, type VerifyMode, verifyOperator } from './verify-operator.ts';

interface Click {
  readonly key: string;
}

interface Total {
  count: number;
}

const keyOf = (click: unknown): string => (click as Click).key;

/** Emits how many records of its key there have been; each bug is one way to get it wrong. */
class CountingOperator implements Operator {
  context!: OperatorContext;
  keyed!: KeyedStateStore;
  total!: ValueState<Total>;

  open(context: OperatorContext): void {
    this.context = context;
    this.keyed = context.keyed;
    this.total = this.keyed.states({ total: value<Total>({ count: 0 }) }).total;
  }

  process(click: unknown, timestampMs: number): void {
    const { key } = click as Click;
    this.keyed.setCurrentKey(key);
    this.count(key, timestampMs);
  }

  count(key: string, timestampMs: number): void {
    const count = this.total.get().count + 1;
    this.total.set({ count });
    this.context.output.emit({ key, count }, timestampMs);
  }

  close(): void {}
}

const clicks = ['a', 'b', 'a', 'c', 'a', 'b'].map((key, at) => record({ key }, at));
const counts = [1, 1, 2, 1, 3, 2].map((count, at) => record({ key: 'abacab'[at], count }, at));

const verify = (make: () => Operator, modes?: readonly VerifyMode[]): Promise<void> =>
  verifyOperator(make, { keyOf, ...(modes === undefined ? {} : { modes }) })
    .input(clicks)
    .expect(counts);

test('verifyOperator accepts a right operator in every mode', async () => {
  await verify(() => new CountingOperator());
});

test('verifyOperator runs each mode: a wrong expectation fails in every single one', async () => {
  for (const mode of VERIFY_MODES) {
    const wrong = verifyOperator(() => new CountingOperator(), { keyOf, modes: [mode] })
      .input(clicks)
      .expect(counts.slice(1));
    await assert.rejects(wrong, (error: Error) => {
      assert.match(error.message, /of key "a" is .*, expected /);
      return error.name === 'AssertionError' && error.message.includes(mode);
    });
  }
});

test('verifyOperator shows what came out and what was expected', async () => {
  const wrong = verifyOperator(() => new CountingOperator(), { keyOf, modes: ['plain'] })
    .input([record({ key: 'a' }, 5)])
    .expect([record({ key: 'a', count: 7 }, 5)]);
  await assert.rejects(wrong, {
    name: 'AssertionError',
    actual: { '"a"': [{ side: null, value: { key: 'a', count: 1 }, timestampMs: 5 }] },
    expected: { '"a"': [{ side: null, value: { key: 'a', count: 7 }, timestampMs: 5 }] },
  });
});

// State in a plain field: all is well until the first restart.
class ForgetfulOperator extends CountingOperator {
  readonly #counts = new Map<string, number>();

  override count(key: string, timestampMs: number): void {
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    this.context.output.emit({ key, count }, timestampMs);
  }
}

test('verifyOperator catches an operator that forgets its state at a restore', async () => {
  await verify(() => new ForgetfulOperator(), ['plain', 'snapshot after each element', 'batches']);
  await assert.rejects(
    verify(() => new ForgetfulOperator()),
    /mode "restart after each element"/,
  );
  await assert.rejects(
    verify(() => new ForgetfulOperator(), ['rescale 1 -> 3 -> 2']),
    /mode "rescale/,
  );
});

// Puts its output out only with the barrier, but too late: after it has said that it is ready.
class LateEmittingOperator extends CountingOperator {
  snapshot(): void {
    this.context.output.emit({ key: 'a', count: 0 }, 0);
  }
}

test('verifyOperator catches an operator that emits after prepareBarrier', async () => {
  await assert.rejects(
    verify(() => new LateEmittingOperator()),
    /mode "snapshot after each element": nothing is emitted between prepareBarrier and/,
  );
});

// Changes the value that it got in place: the store does not know that it has changed.
class MutatingOperator extends CountingOperator {
  override count(key: string, timestampMs: number): void {
    const total = this.total.get() as Total;
    if (total.count === 0) this.total.set({ count: 1 });
    else total.count++;
    this.context.output.emit({ key, count: this.total.get().count }, timestampMs);
  }
}

test('verifyOperator catches an operator that changes state without saying so', async () => {
  await assert.rejects(
    verify(() => new MutatingOperator()),
    /mode "plain": Cannot assign/,
  );
  // Also where values cannot be frozen (typed arrays): the change is not in the next checkpoint.
  const unfrozen = verifyOperator(() => new MutatingOperator(), { keyOf, freezeValues: false });
  await assert.rejects(unfrozen.input(clicks).expect(counts), /mode "restart after each element"/);
});

// Ignores the answer of shouldYield half way, and begins its sweep anew when called again.
class ImpatientOperator extends CountingOperator {
  readonly #keys = new Set<string>();

  override count(key: string): void {
    this.#keys.add(key);
  }

  onWatermark(): boolean {
    for (const key of this.#keys) {
      this.context.output.emit({ key, count: 0 }, 0);
      if (this.context.shouldYield()) return false;
    }
    this.#keys.clear();
    return true;
  }
}

test('verifyOperator catches a sweep that repeats itself after it has yielded', async () => {
  const make = (): Operator => new ImpatientOperator();
  const input = [record({ key: 'a' }), record({ key: 'b' }), watermark(1)];
  const outputs = [record({ key: 'a', count: 0 }, 0), record({ key: 'b', count: 0 }, 0)];
  await verifyOperator(make, { keyOf, modes: ['plain'] })
    .input(input)
    .expect(outputs);
  await assert.rejects(
    verifyOperator(make, { keyOf, modes: ['output full on every other call'] })
      .input(input)
      .expect(outputs),
    /mode "output full on every other call"/,
  );
});

test('verifyOperator with leavesNothing finds state that is never cleared', async () => {
  const leaking = verifyOperator(() => new CountingOperator(), { keyOf, leavesNothing: true });
  await assert.rejects(leaking.input(clicks).expect(counts), /state or timers are left over/);
});

class TwoInputOperator implements Operator {
  context!: OperatorContext;

  open(context: OperatorContext): void {
    this.context = context;
  }

  process(given: unknown, timestampMs: number): void {
    this.context.output.emit(given, timestampMs);
  }

  process2(given: unknown, timestampMs: number): void {
    this.context.sideOutput('second').emit(given, timestampMs);
  }

  onProcessingTime(nowMs: number): boolean {
    this.context.output.emit(`clock ${nowMs}`, nowMs);
    return true;
  }

  close(): void {}
}

test('verifyOperator compares watermarks if some are expected', async () => {
  const input = [record('x', 1), record('y', 2, 1), watermark(9, 0), watermark(5, 1), endOfInput()];
  const outputs = [record('x', 1), sideRecord('second', 'y', 2), watermark(5)];
  const make = (): Operator => new TwoInputOperator();
  await assert.rejects(
    verifyOperator(make).input(input).expect(outputs),
    /watermarks 5, Infinity instead of 5/,
  );
  await verifyOperator(make)
    .input(input)
    .expect([...outputs, watermark(Number.POSITIVE_INFINITY)]);
});

test('OperatorHarness calls for processing time when the clock is there', async () => {
  const harness = await OperatorHarness.open(() => {
    const operator = new TwoInputOperator();
    const open = operator.open.bind(operator);
    operator.open = (context) => {
      open(context);
      context.requestProcessingTime(10);
    };
    return operator;
  });
  await harness.give(clock(9));
  assert.deepEqual(harness.takeOutputs(), []);
  await harness.give(clock(12));
  assert.equal(harness.takeOutputs().length, 1);
  await harness.give(clock(99));
  assert.deepEqual(harness.takeOutputs(), []);
});
