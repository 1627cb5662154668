import { type } from '../../../packages/core/src/function/process-function.ts';
import {
  type CaseKind,
  type Data,
  dataOf,
  onlyKnown,
  type SemanticsCase,
  textOfNumber,
  textOfTimestamp,
} from '../case.ts';
import {
  type CaseRecord,
  neverReadSource,
  OPERATOR,
  type OperatorRun,
  operatorVariants,
  outItem,
} from '../operator-case.ts';
import { type CommandContext, type CommandOutput, commandStates, runCommands } from './commands.ts';

/** A keyed function that does what the records say. */
export const processKind: CaseKind = {
  name: 'process',
  variants: (testCase) =>
    operatorVariants(testCase, () => processRun(testCase.job), {
      restarts: !showsCleanUp(testCase),
    }),
  wholeJob: ({ job }) => processRun(job),
};

// A snapshot leaves out what has expired, which only these two ever get to see.
function showsCleanUp({ job, steps }: SemanticsCase): boolean {
  const ttl = dataOf(job.process).ttl;
  if (ttl === undefined) return false;
  const isRelaxed = dataOf(ttl).visibility === 'returnExpiredIfNotCleanedUp';
  return isRelaxed || JSON.stringify(steps).includes('mapIsEmpty');
}

/** The same with two inputs and shared state. */
export const coProcessKind: CaseKind = {
  name: 'coProcess',
  variants: (testCase) => operatorVariants(testCase, () => coProcessRun(testCase.job)),
};

type States = ReturnType<typeof commandStates>;

function functionsOf(options: Data) {
  onlyKnown(options, 'process', 'onTimer', 'ttl', 'showWatermarks');
  const onTimer = dataOf(options.onTimer ?? {});
  const state: States = commandStates(options.ttl);
  return {
    state,
    output: type<CommandOutput>(),
    onRecord(record: CaseRecord, context: unknown): void {
      runCommands(record.value, context as CommandContext, null);
    },
    onTimer(timeMs: number, context: CommandContext): void {
      const commands = onTimer[context.domain === 'event' ? 'event' : 'proc'];
      const fired = { timer: textOfNumber(timeMs), domain: context.domain };
      if (commands !== undefined) runCommands(commands, context, timeMs);
      else context.emit({ key: context.key, value: fired });
    },
  };
}

function checkJob(job: Data, kind: string): Data {
  onlyKnown(job, 'job', kind, 'maxParallelism', 'parallelism', 'showWatermarks', 'ttl', 'onTimer');
  const { ttl, onTimer } = job;
  return {
    ...(ttl === undefined ? {} : { ttl }),
    ...(onTimer === undefined ? {} : { onTimer }),
    ...dataOf(job[kind]),
  };
}

function processRun(job: Data): OperatorRun {
  const functions = functionsOf(checkJob(job, 'process'));
  return {
    define(flow) {
      const stream = flow.from('in', neverReadSource()).keyBy((record) => record.key);
      return [stream.process(OPERATOR, functions)];
    },
    itemOf: itemOfCommand,
  };
}

function coProcessRun(job: Data): OperatorRun {
  const { onRecord, ...functions } = functionsOf(checkJob(job, 'coProcess'));
  return {
    define(flow) {
      const first = flow.from('first', neverReadSource()).keyBy((record) => record.key);
      const second = flow.from('second', neverReadSource()).keyBy((record) => record.key);
      const both = { ...functions, onRecord1: onRecord, onRecord2: onRecord };
      return [first.connect(second).process(OPERATOR, both)];
    },
    itemOf: itemOfCommand,
  };
}

const itemOfCommand: NonNullable<OperatorRun['itemOf']> = (output) => {
  if (output.side === null) return [outItem(output)];
  const side = { ...dataOf(output.value), ts: textOfTimestamp(output.timestampMs) };
  return [{ side }];
};
