import { broadcastMap, type } from '../../../packages/core/src/function/process-function.ts';
import { value } from '../../../packages/core/src/state/descriptors.ts';
import { type CaseKind, notSupported, numberOf, onlyKnown } from '../case.ts';
import { neverReadSource, OPERATOR, type OperatorRun, operatorVariants } from '../operator-case.ts';
import type { Command, CommandOutput } from './commands.ts';

/** Keyed records (input 0) against rules that every subtask has (input 1). */
export const broadcastKind: CaseKind = {
  name: 'broadcast',
  variants(testCase) {
    onlyKnown(testCase.job, 'job', 'broadcast', 'maxParallelism', 'parallelism', 'showWatermarks');
    return operatorVariants(testCase, broadcastRun);
  },
};

const RULES = broadcastMap<string, unknown>('rules');

function textOfRules(rules: { entries(): Iterable<readonly [string, unknown]> }): string {
  const texts = [...rules.entries()].map(([name, rule]) => `${name}=${String(rule)}`);
  return `{${texts.sort().join(', ')}}`;
}

function broadcastRun(): OperatorRun {
  // The broadcast side is not given the keyed state; this reaches it by the hands of a record.
  const nothing = (context: unknown): unknown => {
    const { state } = context as { state: { value: { get(): unknown } } };
    return state.value.get(); // there is none
  };
  let touchKeyed = nothing;
  return {
    restoring() {
      touchKeyed = nothing;
    },
    keyOf: (record, input) => (input === 0 ? record.key : null),
    // Flink's harness gives elements of the broadcast side the time 0.
    missingTimestampMs: (input) => (input === 1 ? 0 : Number.NaN),
    define(flow) {
      const keyed = flow.from('keyed', neverReadSource()).keyBy((record) => record.key);
      const rules = flow.from('rules', neverReadSource()).broadcast(RULES);
      const judged = keyed.connect(rules).process(OPERATOR, {
        state: { value: value<unknown>() },
        output: type<CommandOutput>(),
        onRecord(record, { key, state, timers, broadcast, emit }) {
          touchKeyed = () => state.value.get();
          if (!Array.isArray(record.value)) {
            return emit({ key, value: `${record.value}:${textOfRules(broadcast)}` });
          }
          for (const [name, argument] of record.value as Command[]) {
            if (name === 'set') state.value.set(argument);
            else if (name === 'get') emit({ key, value: state.value.get() ?? null });
            else if (name === 'eventTimer') timers.registerEventTime(numberOf(argument));
            else notSupported(`broadcast command ${name}`);
          }
        },
        onBroadcast(record, context) {
          const { broadcast, applyToKeys, emit } = context;
          const [name, first, second] = record.value as Command;
          if (name === 'put') broadcast.set(String(first), second);
          else if (name === 'remove') broadcast.delete(String(first));
          else if (name === 'clear') broadcast.clear();
          else if (name === 'applyToAll') {
            const texts: string[] = [];
            applyToKeys('value', (key, state) => {
              texts.push(`${key}=${String(state.get())}`);
              if (first === 'clear') state.clear();
            });
            emit({ value: `[${texts.sort().join(', ')}]` });
          } else if (name === 'touchKeyed') touchKeyed(context);
          else notSupported(`broadcast command ${name}`);
        },
        onTimer(timeMs, { key, broadcast, emit }) {
          emit({ key, value: `timer ${timeMs}:${textOfRules(broadcast)}` });
        },
      });
      return [judged];
    },
  };
}
