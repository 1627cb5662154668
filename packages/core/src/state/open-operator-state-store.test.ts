import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnserializableValueError } from '../codec/codec-errors.ts';
import { openOperatorStateStore } from './open-operator-state-store.ts';
import type { OperatorListSnapshot } from './snapshot.ts';

const throughJson = (lists: OperatorListSnapshot[]): OperatorListSnapshot[] =>
  JSON.parse(JSON.stringify(lists)) as OperatorListSnapshot[];

test('lists and broadcast maps come back from their snapshot', () => {
  const store = openOperatorStateStore([]);
  const list = store.list<unknown>('positions', 'split');
  const rules = store.broadcast<unknown, unknown>('rules');
  list.add(1n);
  list.update([...list.get(), new Date(5), undefined]);
  rules.set(1, 'number');
  rules.set('1', 'text');
  rules.set({ a: 1 }, 'object');
  rules.set({ a: 1 }, 'again');
  rules.set('gone', 0);
  rules.delete('gone');
  const snapshot = throughJson(store.snapshot());
  list.add('later');
  assert.deepEqual(
    snapshot.map(({ name, redistribution, elements }) => [name, redistribution, elements.length]),
    [
      ['positions', 'split', 3],
      ['rules', 'broadcast', 3],
    ],
  );
  const restored = openOperatorStateStore(snapshot);
  assert.deepEqual(restored.list('positions', 'split').get(), [1n, new Date(5), undefined]);
  const again = restored.broadcast<unknown, unknown>('rules');
  assert.deepEqual(
    [again.get(1), again.get('1'), again.get({ a: 1 })],
    ['number', 'text', 'again'],
  );
  assert.equal(again.size, 3);
  again.clear();
  assert.deepEqual([...again.entries()], []);
});

test('a list that nobody declares stays in every snapshot', () => {
  const foreign = { name: 'committables', redistribution: 'split', elements: [1] } as const;
  const store = openOperatorStateStore([foreign]);
  store.list('mine', 'union');
  assert.deepEqual(store.snapshot()[0], foreign);
});

test('an element that cannot be stored is named', () => {
  const store = openOperatorStateStore([]);
  store.list<unknown>('items', 'union').update([1, { run: () => 1 }]);
  assert.throws(
    () => store.snapshot(),
    (error: unknown) =>
      error instanceof UnserializableValueError && error.details.path === 'items[1].run',
  );
});
