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

/** The context of commands; `onTimer` is null while a record is handled. */
export type CommandContext = TimerContext<string, States, CommandOutput>;

/** Does commands in order. */
export function runCommands(
  commands: unknown,
  context: CommandContext,
  timerMs: number | null,
): void {
  if (!Array.isArray(commands)) notSupported(`commands ${JSON.stringify(commands)}`);
  for (const command of commands as Command[]) runCommand(command, context, timerMs);
}

function runCommand(command: Command, context: CommandContext, timerMs: number | null): void {
  const [name, first, second] = command;
  const { timers, key } = context;
  const time = (): number => timeOf(first, context, timerMs);
  switch (name) {
    case 'eventTimer':
      return timers.registerEventTime(time());
    case 'procTimer':
      return timers.registerProcessingTime(time());
    case 'deleteEventTimer':
      return timers.deleteEventTime(time());
    case 'deleteProcTimer':
      return timers.deleteProcessingTime(time());
    case 'emit':
      return context.emit({ key, value: first });
    case 'emitTime':
      return context.emit({ key, value: textOfNumber(time()) });
    case 'emitTimer':
      return context.emit({ key, value: { timer: textOfNumber(timerMs ?? Number.NaN) } });
    case 'side':
      return context.side(sideOutput<CommandOutput>(String(first)), { key, value: second });
    case 'once':
      if (context.state.value.get() !== undefined) return;
      context.state.value.set(1);
      return runCommands(first, context, timerMs);
    default:
      return runStateCommand(command, context);
  }
}

function runStateCommand(command: Command, context: CommandContext): void {
  const [name, first, second] = command;
  const { state, key } = context;
  const emit = (result: unknown): void => context.emit({ key, value: result ?? null });
  switch (name) {
    case 'set':
      return state.value.set(first);
    case 'get':
      return emit(state.value.get());
    case 'clear':
      return state.value.clear();
    case 'inc':
      return state.value.set(Number(state.value.get() ?? 0) + numberOf(first));
    case 'listAdd':
      return state.list.add(first);
    case 'listAddAll':
      return state.list.addAll(first as unknown[]);
    case 'listUpdate':
      return state.list.update(first as unknown[]);
    case 'listGet':
      return emit([...state.list.get()]);
    case 'listClear':
      return state.list.clear();
    case 'reduceAdd':
      return state.sum.add(numberOf(first));
    case 'reduceGet':
      return emit(state.sum.get());
    case 'reduceClear':
      return state.sum.clear();
    case 'avgAdd':
      return state.average.add(numberOf(first));
    case 'avgGet':
      return emit(state.average.get());
    case 'avgClear':
      return state.average.clear();
    default:
      return runMapCommand(name, String(first), second, state, emit);
  }
}

function runMapCommand(
  name: string,
  entry: string,
  content: unknown,
  state: CommandContext['state'],
  emit: (result: unknown) => void,
): void {
  switch (name) {
    case 'mapPut':
      return state.map.set(entry, content);
    case 'mapGet':
      return emit(state.map.get(entry));
    case 'mapHas':
      return emit(state.map.has(entry));
    case 'mapRemove':
      return state.map.delete(entry);
    case 'mapEntries':
      return emit(Object.fromEntries(state.map.entries()));
    case 'mapIsEmpty':
      return emit(state.map.isEmpty());
    case 'mapClear':
      return state.map.clear();
    default:
      return notSupported(`command ${name}`);
  }
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
