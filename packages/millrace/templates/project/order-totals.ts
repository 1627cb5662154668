import { fileSink, fileSource, jsonLines, jsonLinesOut } from '@millrace/connectors';
import { job, minutes, tumbling } from 'millrace';

/** A line of data/orders.jsonl. */
export interface Order {
  readonly id: number;
  readonly customer: string;
  readonly amount: number;
  /** ISO 8601. Lines are out of order by a few seconds. */
  readonly placedAt: string;
}

/** A line of output/. */
export interface Total {
  readonly customer: string;
  /** Start of the minute, ISO 8601. */
  readonly minute: string;
  readonly revenue: number;
}

export default job('order-totals', (flow, { input = 'data', output = 'output' }) => {
  flow
    .from('orders', fileSource({ directory: input, format: jsonLines<Order>() }))
    .eventTime({ timestamp: (order) => Date.parse(order.placedAt), maxOutOfOrdernessMs: 5_000 })
    .keyBy((order) => order.customer)
    .window(tumbling(minutes(1)))
    .aggregate('revenue', {
      create: () => 0,
      add: (sum, order) => sum + order.amount,
      merge: (a, b) => a + b,
    })
    .map(
      ({ key, windowStartMs, value }): Total => ({
        customer: key,
        minute: new Date(windowStartMs).toISOString(),
        revenue: value,
      }),
    )
    .to('totals', fileSink({ directory: output, format: jsonLinesOut<Total>() }));
});
