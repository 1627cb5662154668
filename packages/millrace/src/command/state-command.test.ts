// Goal: the state of any checkpoint can be read from the command line, without the job and without
// loss. Method: a real job with keys and values of every kind leaves a savepoint behind.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { datagen, memorySink } from '@millrace/connectors';
import { job, map, run, value } from '@millrace/core';
import { fromTaggedJson, type Json } from '@millrace/core/checkpoint';
import { type FakeContext, fakeContext } from '../../test/fake-context.ts';
import { dispatch } from './dispatch.ts';
import { exitCode } from './exit-code.ts';

const KEYS = ['a', '7', 7, 7n, true, ['eu', 1n], 'two words'] as const;

const ODD = {
  date: new Date(0),
  map: new Map([[1n, new Set(['x'])]]),
  numbers: [Number.NaN, -0, Number.POSITIVE_INFINITY],
  missing: undefined,
  bytes: new Uint8Array([1, 2, 3]),
};

interface Stored {
  readonly context: FakeContext;
  readonly savepoint: string;
  /** Runs `millrace state` and hands back exit code and standard output. */
  state(...args: string[]): Promise<{ readonly code: number; readonly out: string }>;
  /** `state dump` of an operator's table as data. */
  dump(table: string, ...more: string[]): Promise<Record<string, Json>[]>;
}

async function stored(test: TestContext): Promise<Stored> {
  const context = fakeContext();
  test.after(() => context.dispose());
  context.clock.nowMs = Date.now();
  const odd = job('odd', (flow) => {
    flow
      .from('numbers', datagen({ make: (number) => number, ratePerSecond: 5_000 }))
      .keyBy((number) => KEYS[number % KEYS.length]!)
      .process('kept', {
        state: {
          odd: value<unknown>(null),
          counts: map<string, number>(),
          brief: value(0, { ttl: { ttlMs: 3_600_000 } }),
        },
        onRecord(number, { state, timers }) {
          state.odd.set(ODD);
          state.counts.set(`mod ${number % 2}`, number);
          state.brief.set(number);
          timers.registerProcessingTime(4_000_000_000_000 + (number % KEYS.length));
        },
      })
      .to('out', memorySink<never>());
  });
  const execution = await run(odd, {});
  while ((execution.metrics()[0]?.recordsOut ?? 0) < 100) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { path: savepoint } = await execution.triggerSavepoint(join(context.folder, 'sp'));
  await execution.cancel();
  const state: Stored['state'] = async (...args) => {
    context.written.out = '';
    const code = await dispatch(context, ['state', ...args]);
    return { code, out: context.written.out };
  };
  return {
    context,
    savepoint,
    state,
    async dump(table, ...more) {
      const where = [savepoint, '--operator', 'kept', '--table', table];
      const { code, out } = await state('dump', ...where, ...more);
      assert.equal(code, exitCode.ok, context.written.error);
      return out
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, Json>);
    },
  };
}

test('state dump prints every key and value without loss', async (t) => {
  const { dump } = await stored(t);
  const lines = await dump('odd');
  const keys = lines.map(({ key }) => fromTaggedJson(key!));
  assert.deepEqual(new Set(keys.map(nameOf)), new Set(KEYS.map(nameOf)));
  assert.equal(lines.length, KEYS.length);
  for (const line of lines) assert.deepEqual(fromTaggedJson(line.value!), ODD);
});

test('state dump --key finds a key of any type, and no other', async (t) => {
  const { dump } = await stored(t);
  const spelled = ['a', '"7"', '7', '7n', 'true', '["eu", 1n]', 'two words'];
  for (const [i, text] of spelled.entries()) {
    const lines = await dump('odd', '--key', text);
    assert.deepEqual(
      lines.map(({ key }) => nameOf(fromTaggedJson(key!))),
      [nameOf(KEYS[i])],
    );
  }
});

test('state dump shows sub keys, limits, and what has expired only when told', async (t) => {
  const { context, dump } = await stored(t);
  const counts = await dump('counts', '--key', 'a');
  assert.deepEqual(
    counts.map(({ sub }) => sub),
    ['mod 0', 'mod 1'],
  );
  assert.equal((await dump('counts', '--limit', '3')).length, 3);
  assert.equal((await dump('counts', '--limit', '0')).length, 0);

  assert.equal((await dump('brief')).length, KEYS.length);
  context.clock.nowMs += 2 * 3_600_000;
  assert.deepEqual(await dump('brief'), []);
  const expired = await dump('brief', '--include-expired');
  assert.ok(expired.length === KEYS.length && expired.every((line) => line.expired === true));
});

test('state dump --format table writes keys as --key takes them, and times', async (t) => {
  const { savepoint, state } = await stored(t);
  const where = [savepoint, '--operator', 'kept', '--format', 'table'];
  const { out } = await state('dump', ...where, '--table', 'odd');
  for (const text of ['"7"  ', '7n  ', '7  ', '"two words"  ', '["eu", 1n]  ']) {
    assert.ok(
      out.split('\n').some((line) => line.startsWith(text)),
      `${text}\n${out}`,
    );
  }
  assert.match(out, /date: 1970-01-01T00:00:00.000Z, map: Map\(1\) \{ 1n => Set\(1\)/);
  const timers = await state('dump', ...where, '--table', 'timers/processing');
  assert.match(timers.out, /^a +4000000000000 \(2096-10-02 07:06:40\)$/m);
});

test('state dump shows operator lists and the enumerator', async (t) => {
  const { savepoint, state } = await stored(t);
  const where = [savepoint, '--operator', 'numbers', '--table'];
  const splits = await state('dump', ...where, 'splits');
  assert.match(splits.out, /^\{"subtask":0,"element":\{.*\}\}\n$/);
  assert.match((await state('dump', ...where, 'enumerator')).out, /^\{"subtask":0,"element":/);
});

test('state ls counts entries and names versions and shapes', async (t) => {
  const { savepoint, state } = await stored(t);
  const { out } = await state('ls', savepoint);
  assert.match(out, /^operator "kept": 1 subtask, 128 key groups, 1 run, /m);
  assert.match(out, /^ {2}odd +value +v1 +7 entries .*\{date, map, numbers, missing, bytes\}$/m);
  assert.match(out, /^ {2}counts +map +v1 +14 entries/m);
  assert.match(out, /timers\/processing .*\n +processing-time timers; sub key/);
  const data = JSON.parse((await state('ls', savepoint, '--json')).out);
  const kept = data.find((one: { operatorUid: string }) => one.operatorUid === 'kept');
  assert.equal(kept.tables[0].exact.entries, 7);
});

test('state refuses what is not there and says what is', async (t) => {
  const { context, savepoint, state } = await stored(t);
  const of = (operator: string, table: string, ...more: string[]): string[] => [
    ...['dump', savepoint, '--operator', operator, '--table', table],
    ...more,
  ];
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [of('kep', 'odd'), exitCode.failed, /no operator "kep"[\s\S]*Did you mean "kept"\?/],
    [of('kept', 'cuonts'), exitCode.failed, /no table "cuonts"[\s\S]*Did you mean "counts"\?/],
    [of('kept', 'odd', '--key', 'z'), exitCode.failed, /has no key z/],
    [of('kept', 'odd', '--key', '"true"'), exitCode.failed, /did you mean --key 'true'\?/],
    [of('kept', 'odd', '--key', '[1'), exitCode.usage, /--key takes/],
    [of('numbers', 'splits', '--key', '1'), exitCode.usage, /has no keys/],
    [of('kept', 'odd', '--format', 'xml'), exitCode.usage, /jsonl or table/],
    [['dump', savepoint], exitCode.usage, /--operator is missing: numbers, kept, out/],
    [['dump', savepoint, '--operator', 'kept'], exitCode.usage, /has: odd, counts, brief/],
    [['show', savepoint], exitCode.usage, /none of ls, dump/],
  ];
  for (const [args, code, message] of cases) {
    context.written.error = '';
    assert.equal((await state(...args)).code, code, args.join(' '));
    assert.match(context.written.error, message);
  }
});

test('state dump ends quietly when nobody reads any more', async (t) => {
  const { context, savepoint } = await stored(t);
  const args = ['state', 'dump', savepoint, '--operator', 'kept', '--table', 'odd'];
  const terminal = { ...context.terminal, outTaken: async () => false };
  assert.equal(await dispatch({ ...context, terminal }, args), exitCode.ok);
  assert.equal(context.written.error, '');
});

function nameOf(key: unknown): string {
  if (Array.isArray(key)) return `[${key.map(nameOf).join()}]`;
  return `${typeof key} ${String(key)}`;
}
