// What is inferred for windows.
import {
  countWindow,
  type DataStream,
  dynamicSession,
  evictors,
  job,
  minutes,
  session,
  triggers,
  tumbling,
  type,
  value,
  type WindowResult,
  type WindowResultStream,
} from '@millrace/core';
import { expectType } from './expect-type.ts';
import { flow, type Order, orderSource, sinkOf } from './fixtures.ts';

const byCustomer = flow.from('orders', orderSource).keyBy((order) => order.customerId);
const windowed = byCustomer.window(tumbling(minutes(1)));

// assigners, triggers, evictors see the records
byCustomer.window(dynamicSession((order) => order.amount));
byCustomer.window(countWindow(10, 2));
byCustomer.window(session(1_000)).trigger(triggers.count(5)).evictor(evictors.count(3));
// @ts-expect-error the gap is a number
byCustomer.window(dynamicSession((order: Order) => order.id));
// @ts-expect-error these are no orders
byCustomer.window(dynamicSession((text: string) => text.length));

// reduce
expectType<WindowResultStream<WindowResult<string, Order>, Order>>()(
  windowed.reduce('largest', (a, b) => (a.amount > b.amount ? a : b)),
);
expectType<WindowResultStream<number, Order>>()(
  windowed.reduce('largest', (a) => a, {
    output: type<number>(),
    onWindow(values, { emit, key, window }) {
      expectType<Iterable<Order>>()(values);
      expectType<string>()(key);
      emit(window.startMs);
    },
  }),
);

// aggregate
const revenue = windowed.aggregate('revenue', {
  create: () => 0,
  add: (sum, order) => sum + order.amount,
  merge: (a, b) => a + b,
});
expectType<WindowResultStream<WindowResult<string, number>, Order>>()(revenue);
expectType<DataStream<Order>>()(revenue.late());
expectType<WindowResultStream<WindowResult<string, string>, Order>>()(
  windowed.aggregate('mean', {
    create: () => ({ count: 0, sum: 0 }),
    add: (mean, order) => ({ count: mean.count + 1, sum: mean.sum + order.amount }),
    result: ({ count, sum }) => (sum / count).toFixed(2),
  }),
);
expectType<WindowResultStream<{ total: number }, Order>>()(
  windowed.aggregate(
    'revenue',
    { create: () => 0, add: (sum, order) => sum + order.amount },
    {
      state: { runs: value(0) },
      output: type<{ total: number }>(),
      onWindow([total], { emit, state, windowState }) {
        expectType<number>()(state.runs.get());
        expectType<number>()(windowState.runs.get());
        emit({ total: total ?? 0 });
        // @ts-expect-error the output has a total
        emit({ sum: 1 });
      },
    },
  ),
);
windowed.aggregate('revenue', {
  create: () => 0,
  // @ts-expect-error the accumulator is a number
  add: (sum, order) => `${sum}${order.amount}`,
});

// process
expectType<WindowResultStream<never, Order>>()(
  windowed.process('all', {
    onWindow(orders, { emit }) {
      for (const order of orders) expectType<Order>()(order);
      // @ts-expect-error without `output` nothing may be emitted
      emit(1);
    },
  }),
);
// @ts-expect-error only results of windows have late records
flow.from('orders', orderSource).late();
// @ts-expect-error a window alone is no stream
windowed.map((order) => order);

// the whole, as in the first lines of the guide
const definition = job('totals', (start, parameters) => {
  expectType<string | undefined>()(parameters.topic);
  start
    .from('orders', orderSource)
    .eventTime({ timestamp: (order) => order.placedAtMs })
    .keyBy((order) => order.customerId)
    .window(tumbling(minutes(1)))
    .aggregate('revenue', { create: () => 0, add: (sum, order) => sum + order.amount })
    .to('out', sinkOf<WindowResult<string, number>>());
});
expectType<string>()(definition.name);
