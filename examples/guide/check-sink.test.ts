// The examples of docs/guide/check-sink.md, word for word (pages.test.ts compares them).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Environment, Sink } from '@millrace/core/connector';
import { assertExactlyOnce, checkSink, remoteCall } from '@millrace/testing';

/** A stand-in for the real service. It outlives the processes that call it. */
class Payments {
  readonly booked: string[] = [];
  readonly #keys = new Set<string>();

  /** A request with a key that was seen before changes nothing. */
  book(caller: Environment, lines: readonly string[], key?: string): Promise<void> {
    return remoteCall(caller, () => {
      if (key !== undefined && this.#keys.has(key)) return;
      if (key !== undefined) this.#keys.add(key);
      this.booked.push(...lines);
    });
  }
}

interface Request {
  readonly key: string;
  readonly lines: readonly string[];
}

function paymentSink(payments: Payments, usesKeys: boolean): Sink<string, never, Request> {
  return {
    name: 'payments',
    delivery: 'exactly-once',
    createWriter({ generation, attempt, subtaskIndex }) {
      let lines: string[] = [];
      return {
        write: (line) => void lines.push(line),
        ready: () => null,
        prepareCommit(checkpointId) {
          const key = [generation, attempt, subtaskIndex, checkpointId].join('-');
          const committables = lines.length === 0 ? [] : [{ key, lines }];
          lines = [];
          return async () => ({ committables, writerStates: [] });
        },
        async close() {},
      };
    },
    createCommitter: ({ environment }) => ({
      async commit(requests) {
        for (const { key, lines } of requests) {
          await payments.book(environment, lines, usesKeys ? key : undefined);
        }
        return requests.map(() => ({ kind: 'committed' }));
      },
      async close() {},
    }),
  };
}

const check = (usesKeys: boolean) =>
  checkSink<string>({
    setUp() {
      const payments = new Payments();
      return { sink: () => paymentSink(payments, usesKeys), read: () => payments.booked };
    },
    record: (index) => `payment ${index}`,
  });

test('the payment sink is exactly-once', async () => {
  assertExactlyOnce(await check(true));
});

test('without keys it doubles, and checkSink says when', async () => {
  const report = await check(false);
  assert.equal(report.verdict, 'at-least-once');
  assert.throws(() => assertExactlyOnce(report), /'payment 0' is doubled/);
});
