// The classic: totals per customer out of a log of orders that is out of order and repeats itself.
//
//   orders -- keyBy id, the first of each -- keyBy customer -+- one day windows --> daily/ (late/)
//                                                            +- running total ----> running/
import { fileSink, fileSource, jsonLines, jsonLinesOut } from '@millrace/connectors';
import { days, hours, job, tumbling, type, value } from 'millrace';
import type { DailyRevenue, Order, RunningTotal } from './order.ts';

export default job('orders', (flow, parameters) => {
  const { input = 'data/orders', output = 'data/order-totals' } = parameters;
  const sinkTo = (name: string) =>
    fileSink({ directory: `${output}/${name}`, format: jsonLinesOut() });

  const byCustomer = flow
    .from(
      'orders',
      fileSource({ directory: input, include: '*.jsonl', format: jsonLines<Order>() }),
    )
    .eventTime({ timestamp: (order) => Date.parse(order.placedAt), maxOutOfOrdernessMs: hours(2) })
    .keyBy((order) => order.id)
    .process('first-of-its-id', {
      // Whoever sends an order again does so soon: an id need not be kept for ever.
      state: { seen: value(false, { ttl: { ttlMs: days(1) } }) },
      output: type<Order>(),
      onRecord(order, { state, emit, count }) {
        if (state.seen.get()) return count('repetitions');
        state.seen.set(true);
        emit(order);
      },
    })
    .keyBy((order) => order.customer);

  const daily = byCustomer.window(tumbling(days(1))).aggregate('daily', {
    create: () => ({ orders: 0, cents: 0 }),
    add: (sum, order) => ({ orders: sum.orders + 1, cents: sum.cents + order.cents }),
    merge: (a, b) => ({ orders: a.orders + b.orders, cents: a.cents + b.cents }),
  });
  daily
    .map(
      (window): DailyRevenue => ({
        customer: window.key,
        day: new Date(window.windowStartMs).toISOString().slice(0, 10),
        ...window.value,
      }),
    )
    .to('daily-revenue', sinkTo('daily'));
  daily.late().to('late-orders', sinkTo('late'));

  byCustomer
    .process('running', {
      state: { orders: value(0), cents: value(0) },
      output: type<RunningTotal>(),
      onRecord(order, { key, state, emit }) {
        state.orders.set(state.orders.get() + 1);
        state.cents.set(state.cents.get() + order.cents);
        const [orders, cents] = [state.orders.get(), state.cents.get()];
        emit({ customer: key, orderId: order.id, orders, cents });
      },
    })
    .to('running-totals', sinkTo('running'));
});
