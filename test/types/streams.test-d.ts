// What is inferred for streams without a key.
import {
  type DataStream,
  type DeadLetter,
  type Emit,
  operatorList,
  punctuated,
  type OperatorStream,
  sideOutput,
  type SinkHandle,
  type SourceStream,
  type,
} from '@millrace/core';
import { expectType } from './expect-type.ts';
import { fileSource, flow, type Order, orderSource, paymentSource, sinkOf } from './fixtures.ts';

const orders = flow.from('orders', orderSource);
const payments = flow.from('payments', paymentSource);

// from, eventTime, dead letters
expectType<SourceStream<Order>>()(orders);
expectType<SourceStream<string>>()(flow.from('lines', fileSource));
expectType<DataStream<DeadLetter>>()(orders.deadLetters());
expectType<SourceStream<Order>>()(
  orders.eventTime({ timestamp: (order) => order.placedAtMs, maxOutOfOrdernessMs: 5_000 }),
);
orders.eventTime({ strategy: punctuated((order) => expectType<Order>()(order) as undefined) });
expectType<OperatorStream<number>>()(orders.map((order) => order.amount).eventTime({}));
// @ts-expect-error a timestamp is a number
orders.eventTime({ timestamp: (order) => order.id });
// @ts-expect-error a source is needed
flow.from('orders');
// @ts-expect-error the uid comes first
flow.from(orderSource);

// map, filter, flatMap
expectType<OperatorStream<number>>()(orders.map((order) => order.amount));
expectType<OperatorStream<{ id: string }>>()(orders.map(({ id }) => ({ id })));
expectType<OperatorStream<Order>>()(orders.filter((order) => order.amount > 0));
declare const mixed: DataStream<string | number>;
expectType<OperatorStream<number>>()(
  mixed.filter((value): value is number => typeof value === 'number'),
);
expectType<OperatorStream<number>>()(mixed.filter((value) => typeof value === 'number'));
expectType<OperatorStream<string>>()(orders.flatMap((order) => order.id.split('-')));
expectType<OperatorStream<number>>()(
  orders.flatMap(function* (order) {
    if (order.amount > 0) yield order.amount;
  }),
);
expectType<OperatorStream<number>>()(
  orders.flatMap((order, emit: Emit<number>) => emit(order.amount)),
);
// @ts-expect-error the type of what is emitted must be given
orders.flatMap((order, emit) => emit(order.amount));
// @ts-expect-error there is no such member
orders.map((order) => order.price);
// @ts-expect-error a filter is synchronous
orders.filter(async (order) => order.amount > 0);

// process
const late = sideOutput<{ late: string }>('late');
const processed = orders.process('audit', {
  output: type<string>(),
  operatorState: { seen: operatorList<number>() },
  open: ({ lists }) => expectType<readonly number[]>()(lists.seen.get()),
  onRecord(order, { emit, side, lists, timestampMs }) {
    expectType<Order>()(order);
    expectType<number>()(timestampMs);
    lists.seen.add(order.amount);
    emit(order.id);
    side(late, { late: order.id });
    // @ts-expect-error the output is text
    emit(order.amount);
    // @ts-expect-error the side output has another type
    side(late, order.id);
    // @ts-expect-error the list holds numbers
    lists.seen.add(order.id);
  },
});
expectType<OperatorStream<string>>()(processed);
expectType<DataStream<{ late: string }>>()(processed.sideOutput(late));
expectType<OperatorStream<never>>()(
  orders.process('silent', {
    onRecord(order, { emit }) {
      // @ts-expect-error without `output` nothing may be emitted
      emit(order);
    },
  }),
);
// @ts-expect-error the uid comes first
orders.process({ onRecord() {} });
// @ts-expect-error a union has no side outputs, only the operators before it have
orders.union(orders.map((order) => order)).sideOutput(late);

// mapAsync
declare function lookUp(id: string, signal: AbortSignal): Promise<{ name: string }>;
expectType<OperatorStream<{ name: string }>>()(
  orders.mapAsync('names', (order, { signal }) => lookUp(order.id, signal), {
    order: 'unordered',
    timeoutMs: 1_000,
    onTimeout: 'fallback',
    fallback: (order) => [{ name: order.id }],
  }),
);
orders.mapAsync('names', (order, { signal }) => lookUp(order.id, signal), {
  timeoutMs: 1_000,
  onTimeout: 'fallback',
  // @ts-expect-error the fallback gives what the call gives
  fallback: (order) => [order.id],
});
// @ts-expect-error the call must return a promise
orders.mapAsync('names', (order) => order.id);

// union
expectType<DataStream<Order>>()(orders.union(orders.filter((order) => order.amount > 9)));
expectType<DataStream<Order | string | number>>()(
  orders.union(
    orders.map((order) => order.id),
    orders.map((order) => order.amount),
  ),
);

// partitioning
expectType<DataStream<Order>>()(orders.rebalance());
expectType<DataStream<Order>>()(orders.rescale());
expectType<DataStream<Order>>()(orders.forward());
expectType<DataStream<Order>>()(orders.broadcast());
expectType<DataStream<Order>>()(orders.hash((order) => order.customerId));
expectType<DataStream<Order>>()(
  orders.partitionCustom('by-amount', (order, parallelism) => order.amount % parallelism),
);
// @ts-expect-error a partition is a number
orders.partitionCustom('by-id', (order) => order.id);
// @ts-expect-error a partitioning is no operator
orders.rebalance().parallelism(2);

// settings keep the type of the stream
expectType<SourceStream<Order>>()(orders.parallelism(2).maxParallelism(64).name('all orders'));
expectType<OperatorStream<number>>()(
  orders
    .map((order) => order.amount)
    .startNewChain()
    .disableChaining(),
);

// to
expectType<SinkHandle>()(orders.to('out', sinkOf<Order>()).parallelism(1).name('file'));
orders.to('out', sinkOf<{ readonly id: string }>());
orders.to('out', sinkOf<unknown>());
// @ts-expect-error a sink of payments cannot take orders
orders.to('out', sinkOf<typeof payments>());
// @ts-expect-error the sink wants more than the records have
orders.to('out', sinkOf<Order & { readonly extra: number }>());
// @ts-expect-error the uid comes first
orders.to(sinkOf<Order>());
