import type { TimerContext } from '../../../packages/core/src/function/process-function.ts';
import { sideOutput } from '../../../packages/core/src/function/process-function.ts';
import {
  aggregating,
  list,
  map,
  reducing,
  type TtlOptions,
  value,
} from '../../../packages/core/src/state/descriptors.ts';
import { type Data, dataOf, notSupported, numberOf, onlyKnown, textOfNumber } from '../case.ts';

/** One command: its name and its arguments. */
export type Command = readonly [name: string, ...args: unknown[]];

/** What the functions of the cases put out. */
export interface CommandOutput {
  readonly key?: string;
  readonly value: unknown;
}

interface Average {
  sum: number;
  count: number;
}

/** The states that commands work on, all with one time to live. */
export function commandStates(ttl: unknown) {
  const options = ttlOf(ttl);
  return {
    value: value<unknown>(undefined, options),
    list: list<unknown>(options),
    map: map<string, unknown>(options),
    sum: reducing<number>((a, b) => a + b, options),
    average: aggregating<number, Average, number>(
      {
        create: () => ({ sum: 0, count: 0 }),
        add: ({ sum, count }, added) => ({ sum: sum + added, count: count + 1 }),
        result: ({ sum, count }) => Math.trunc(sum / count),
      },
      options,
    ),
  };
}

function ttlOf(ttl: unknown): { readonly ttl?: TtlOptions } {
  if (ttl === undefined) return {};
  const { ms, update, visibility } = dataOf(ttl);
  onlyKnown(dataOf(ttl), 'ttl', 'ms', 'update', 'visibility');
  if (update === 'disabled') return {};
  return {
    ttl: {
      ttlMs: numberOf(ms),
      update: update === 'onReadAndWrite' ? 'onReadAndWrite' : 'onCreateAndWrite',
      visibility:
        visibility === 'returnExpiredIfNotCleanedUp'
          ? 'returnExpiredIfNotCleanedUp'
          : 'neverReturnExpired',
    },
  };
}

type States = ReturnType<typeof commandStates>;

/** The context of commands. */
export type CommandContext = TimerContext<string, States, CommandOutput>;

/** Does commands in order. `timerMs` is null while a record is handled. */
export function runCommands(
  commands: unknown,
  context: CommandContext,
  timerMs: number | null,
): void {
  if (!Array.isArray(commands)) notSupported(`commands ${JSON.stringify(commands)}`);
  for (const [name, first, second] of commands as Command[]) {
    const run = COMMANDS[name] ?? notSupported(`command ${name}`);
    run(context, first, second, timerMs);
  }
}

type RunCommand = (
  context: CommandContext,
  first: unknown,
  second: unknown,
  timerMs: number | null,
) => void;

const TIMER_COMMANDS: Readonly<Record<string, RunCommand>> = {
  eventTimer: (context, time, _, timerMs) =>
    context.timers.registerEventTime(timeOf(time, context, timerMs)),
  procTimer: (context, time, _, timerMs) =>
    context.timers.registerProcessingTime(timeOf(time, context, timerMs)),
  deleteEventTimer: (context, time, _, timerMs) =>
    context.timers.deleteEventTime(timeOf(time, context, timerMs)),
  deleteProcTimer: (context, time, _, timerMs) =>
    context.timers.deleteProcessingTime(timeOf(time, context, timerMs)),
  emit: (context, result) => context.emit({ key: context.key, value: result }),
  emitTime: (context, time, _, timerMs) =>
    emit(context, textOfNumber(timeOf(time, context, timerMs))),
  emitTimer: (context, _first, _second, timerMs) =>
    emit(context, { timer: textOfNumber(timerMs ?? Number.NaN) }),
  side: (context, name, result) =>
    context.side(sideOutput<CommandOutput>(String(name)), { key: context.key, value: result }),
  once: (context, commands, _, timerMs) => {
    if (context.state.value.get() !== undefined) return;
    context.state.value.set(1);
    runCommands(commands, context, timerMs);
  },
};

const STATE_COMMANDS: Readonly<Record<string, RunCommand>> = {
  set: ({ state }, content) => state.value.set(content),
  get: (context) => emit(context, context.state.value.get()),
  clear: ({ state }) => state.value.clear(),
  inc: ({ state }, by) => state.value.set(Number(state.value.get() ?? 0) + numberOf(by)),
  listAdd: ({ state }, element) => state.list.add(element),
  listAddAll: ({ state }, elements) => state.list.addAll(elements as unknown[]),
  listUpdate: ({ state }, elements) => state.list.update(elements as unknown[]),
  listGet: (context) => emit(context, [...context.state.list.get()]),
  listClear: ({ state }) => state.list.clear(),
  reduceAdd: ({ state }, added) => state.sum.add(numberOf(added)),
  reduceGet: (context) => emit(context, context.state.sum.get()),
  reduceClear: ({ state }) => state.sum.clear(),
  avgAdd: ({ state }, added) => state.average.add(numberOf(added)),
  avgGet: (context) => emit(context, context.state.average.get()),
  avgClear: ({ state }) => state.average.clear(),
  mapPut: ({ state }, name, content) => state.map.set(String(name), content),
  mapGet: (context, name) => emit(context, context.state.map.get(String(name))),
  mapHas: (context, name) => emit(context, context.state.map.has(String(name))),
  mapRemove: ({ state }, name) => state.map.delete(String(name)),
  mapEntries: (context) => emit(context, Object.fromEntries(context.state.map.entries())),
  mapIsEmpty: (context) => emit(context, context.state.map.isEmpty()),
  mapClear: ({ state }) => state.map.clear(),
};

const COMMANDS: Readonly<Record<string, RunCommand>> = { ...TIMER_COMMANDS, ...STATE_COMMANDS };

function emit(context: CommandContext, result: unknown): void {
  context.emit({ key: context.key, value: result ?? null });
}

// A number, "max", or "$t", "$wm", "$now", "$ts" with an offset.
function timeOf(expression: unknown, context: CommandContext, timerMs: number | null): number {
  if (typeof expression !== 'string' || !expression.startsWith('$')) return numberOf(expression);
  const parts = /^\$(t|wm|now|ts)([+-]\d+)?$/.exec(expression);
  if (parts === null) return notSupported(`time ${expression}`);
  const bases: Data = {
    t: timerMs ?? Number.NaN,
    wm: context.watermarkMs,
    now: context.now(),
    ts: context.timestampMs,
  };
  return Number(bases[parts[1]!]) + Number(parts[2] ?? 0);
}
