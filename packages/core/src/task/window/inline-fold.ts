import { assert } from '../../base/assert.ts';
import type { Key } from '../../element/key.ts';
import type { WindowSpec } from '../../graph/operator-spec.ts';
import type { Entry } from '../../state/entry-table.ts';
import type { LoopRecord, LoopWriter } from '../operator/loop-writer.ts';

/** A window operator that keeps one accumulator per key and window. Calls no function of the user
 * but for the first record of a key and for late ones. */
export interface FoldingOperator<W> {
  /** null: there is nothing left to do. */
  windowFor(value: unknown, timestampMs: number): W | null;
  /** The accumulator to be changed; null: there is nothing left to do. */
  entryFor(window: W, key: Key, value: unknown): Entry<unknown> | null;
}

/** `process` of such an operator, for a generated loop: see `Operator.inline`. */
export function inlineFold<W>(
  loop: LoopWriter,
  { value, time }: LoopRecord,
  operator: FoldingOperator<W>,
  { keyOf, body }: WindowSpec,
): string {
  assert(body.kind !== 'collect', 'the fast paths keep accumulators');
  const self = loop.bind(operator);
  const add = body.kind === 'reduce' ? loop.bind(body.reduce) : `${loop.bind(body.aggregate)}.add`;
  const window = loop.local();
  const entry = loop.local();
  return `const ${window} = ${self}.windowFor(${value}, ${time});
      if (${window} !== null) {
        const ${entry} = ${self}.entryFor(${window}, ${loop.bind(keyOf)}(${value}), ${value});
        if (${entry} !== null) ${entry}.value = ${add}(${entry}.value, ${value});
      }`;
}
