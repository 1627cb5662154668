// What is inferred for keyed streams, their state, connections and joins.
import {
  aggregating,
  broadcastMap,
  type BroadcastStream,
  type KeyedStream,
  list,
  map,
  type OperatorStream,
  reducing,
  sideOutput,
  tumbling,
  type,
  value,
} from '@millrace/core';
import { expectType } from './expect-type.ts';
import { flow, type Order, orderSource, type Payment, paymentSource } from './fixtures.ts';

const orders = flow.from('orders', orderSource);
const payments = flow.from('payments', paymentSource);
const byCustomer = orders.keyBy((order) => order.customerId);

// keyBy
expectType<KeyedStream<Order, string>>()(byCustomer);
expectType<KeyedStream<Order, boolean>>()(orders.keyBy((order) => order.amount > 9));
expectType<KeyedStream<Payment, bigint>>()(payments.keyBy((payment) => payment.cents));
expectType<KeyedStream<Order, readonly [string, number]>>()(
  orders.keyBy((order) => [order.customerId, order.amount]),
);
// @ts-expect-error an object is no key
orders.keyBy((order) => order);
// @ts-expect-error undefined is no key
orders.keyBy((order) => (order.amount > 9 ? order.id : undefined));
// @ts-expect-error a promise is no key
orders.keyBy(async (order) => order.id);

// reduce
expectType<OperatorStream<Order>>()(
  byCustomer.reduce('largest', (a, b) => (a.amount > b.amount ? a : b)),
);
// @ts-expect-error the reduction has the type of the records
byCustomer.reduce('sum', (a, b) => a.amount + b.amount);

// process: state handles, timers, output
expectType<OperatorStream<{ readonly customer: string }>>()(
  byCustomer.process('first-order', {
    state: {
      seen: value(false),
      last: value<Order>(),
      amounts: list<number>({ ttl: { ttlMs: 1_000 } }),
      byId: map<string, Order>(),
      total: reducing((a: number, b: number) => a + b),
      average: aggregating({
        create: () => ({ count: 0, sum: 0 }),
        add: (mean, amount: number) => ({ count: mean.count + 1, sum: mean.sum + amount }),
        result: ({ count, sum }) => sum / count,
      }),
    },
    output: type<{ readonly customer: string }>(),
    onRecord(order, { state, key, emit, timers, watermarkMs }) {
      expectType<Order>()(order);
      expectType<string>()(key);
      expectType<number>()(watermarkMs);
      expectType<boolean>()(state.seen.get());
      expectType<readonly number[]>()(state.amounts.get());
      expectType<number | undefined>()(state.total.get());
      expectType<number | undefined>()(state.average.get());
      expectType<number | undefined>()(state.last.get()?.amount);
      expectType<number | undefined>()(state.byId.get('a')?.amount);
      state.seen.set(true);
      state.last.set(undefined);
      timers.registerEventTime(order.placedAtMs + 1_000);
      emit({ customer: key });
      // @ts-expect-error there is no such state
      state.unknown;
      // @ts-expect-error the state holds a boolean
      state.seen.set('yes');
      // @ts-expect-error the aggregate takes numbers
      state.average.add(order);
      // @ts-expect-error the output has a customer
      emit({ id: order.id });
    },
    onTimer(timeMs, { state, domain, key }) {
      expectType<number>()(timeMs);
      expectType<'event' | 'processing'>()(domain);
      expectType<string>()(key);
      state.seen.clear();
    },
  }),
);
byCustomer.process('read-only', {
  state: { cart: value<{ items: string[] }>({ items: [] }) },
  onRecord(order, { state, emit }) {
    // @ts-expect-error state changes by set, not in place
    state.cart.get().items.push(order.id);
    // @ts-expect-error without `output` nothing may be emitted
    emit(order);
  },
});
byCustomer.process('stateless', {
  onRecord(_order, { state }) {
    // @ts-expect-error no state was declared
    state.seen;
  },
});
// @ts-expect-error the uid comes first
byCustomer.process({ onRecord() {} });

// connect: two keyed streams
const paymentsByCustomer = payments.keyBy((payment) => payment.customerId);
expectType<OperatorStream<bigint>>()(
  byCustomer.connect(paymentsByCustomer).process('match', {
    state: { open: value(0) },
    output: type<bigint>(),
    onRecord1(order, { state }) {
      expectType<Order>()(order);
      state.open.set(state.open.get() + order.amount);
    },
    onRecord2(payment, { emit, key }) {
      expectType<Payment>()(payment);
      expectType<string>()(key);
      emit(payment.cents);
    },
  }),
);
// @ts-expect-error the keys have different types
byCustomer.connect(payments.keyBy((payment) => payment.cents));

// connect: broadcast state
const rules = payments.broadcast(broadcastMap<string, { limit: number }>('rules'));
expectType<BroadcastStream<Payment, string, { limit: number }>>()(rules);
expectType<OperatorStream<string>>()(
  byCustomer.connect(rules).process('judge', {
    state: { count: value(0) },
    output: type<string>(),
    onRecord(order, { broadcast, state, emit }) {
      expectType<Order>()(order);
      expectType<{ limit: number } | undefined>()(broadcast.get(order.id));
      state.count.set(1);
      emit(order.id);
      // @ts-expect-error records only read the rules
      broadcast.set(order.id, { limit: 1 });
    },
    onBroadcast(payment, { broadcast, applyToKeys }) {
      expectType<Payment>()(payment);
      broadcast.set(payment.customerId, { limit: 3 });
      applyToKeys('count', (key, count) => {
        expectType<string>()(key);
        expectType<number>()(count.get());
      });
      // @ts-expect-error there is no such state
      applyToKeys('unknown', () => {});
      // @ts-expect-error a rule has a limit
      broadcast.set(payment.customerId, 3);
    },
  }),
);
expectType<OperatorStream<never>>()(
  orders.connect(rules).process('judge-all', {
    onRecord(order, { broadcast, emit }) {
      expectType<boolean>()(broadcast.has(order.id));
      // @ts-expect-error without `output` nothing may be emitted
      emit(order);
    },
    onBroadcast(payment, { broadcast }) {
      broadcast.delete(payment.customerId);
    },
  }),
);

// intervalJoin
const lateOrders = sideOutput<Order>('late-orders');
const interval = byCustomer.intervalJoin(paymentsByCustomer, {
  lowerMs: -1_000,
  upperMs: 0,
  lateLeft: lateOrders,
});
expectType<OperatorStream<readonly [string, bigint]>>()(
  interval.process('paid', {
    output: type<readonly [string, bigint]>(),
    onPair(order, payment, { emit, leftTimestampMs }) {
      expectType<Order>()(order);
      expectType<Payment>()(payment);
      expectType<number>()(leftTimestampMs);
      emit([order.id, payment.cents]);
    },
  }),
);
byCustomer.intervalJoin(paymentsByCustomer, {
  lowerMs: 0,
  upperMs: 0,
  // @ts-expect-error the right side has payments
  lateRight: sideOutput<number>('late'),
});

// windowJoin
const joined = byCustomer.windowJoin(paymentsByCustomer, tumbling(1_000));
expectType<OperatorStream<{ id: string; cents: bigint }>>()(
  joined.join('pairs', ({ id }, { cents }) => ({ id, cents })),
);
expectType<OperatorStream<number>>()(
  joined.allowedLatenessMs(5).coGroup('groups', {
    output: type<number>(),
    onWindow(left, right, { emit, key, window }) {
      expectType<readonly Order[]>()(left);
      expectType<readonly Payment[]>()(right);
      expectType<string>()(key);
      emit(window.endMs);
    },
  }),
);
