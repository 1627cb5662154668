import { assertNever } from '../../base/assert.ts';
import { StreamError } from '../../base/errors.ts';
import { type Key, type KeyIdentity, keyIdentity } from '../../element/key.ts';
import type {
  AggregateFunction,
  AggregatingState,
  ListState,
  MapState,
  ReducingState,
  StateDescriptor,
  StateDescriptors,
  StateHandles,
  ValueState,
} from '../../state/descriptors.ts';
import type { CellSlot, WindowCell } from './window-cells.ts';

/** A window function touched state per window, but its windows merge. */
export class PerWindowStateError extends StreamError {
  static override readonly code = 'PER_WINDOW_STATE_WITH_MERGING';
  static override readonly domain = 'user';
  static override readonly retry = 'never';

  constructor() {
    super(
      'state per window is not allowed in session windows: nobody could say how to merge it',
      {},
      { hint: 'Use context.state, which belongs to the key, and clear it yourself.' },
    );
  }
}

/** Says on which cell the handles act now. */
export interface CurrentCell {
  cell: WindowCell;
}

/**
 * Handles of states per key and window (of triggers and window functions): they act on the cell
 * that `current` names. Each state is one stored value, so a list or map is written whole at the
 * next checkpoint. There is no TTL: the state goes with its window.
 *
 * @param slotOf the table of each state
 */
export function windowStateHandles<S extends StateDescriptors>(
  descriptors: S,
  current: CurrentCell,
  slotOf: (name: string) => CellSlot,
): StateHandles<S> {
  const handles: Record<string, unknown> = {};
  for (const [name, descriptor] of Object.entries(descriptors)) {
    handles[name] = handleOf(descriptor, current, slotOf(name));
  }
  return handles as StateHandles<S>; // one handle per descriptor, of the descriptor's kind
}

function handleOf(
  descriptor: StateDescriptor<unknown>,
  current: CurrentCell,
  slot: CellSlot,
): unknown {
  switch (descriptor.kind) {
    case 'value':
      return valueHandle(descriptor.initial, current, slot);
    case 'reducing':
      return reducingHandle(descriptor.reduce!, current, slot);
    case 'aggregating':
      return aggregatingHandle(descriptor.aggregate!, current, slot);
    case 'list':
      return listHandle(current, slot);
    case 'map':
      return mapHandle(current, slot);
    default:
      return assertNever(descriptor.kind);
  }
}

function valueHandle(initial: unknown, current: CurrentCell, slot: CellSlot): ValueState<unknown> {
  return {
    get: () => (slot.has(current.cell) ? slot.get(current.cell) : initial) as never,
    set: (value) => slot.set(current.cell, value),
    clear: () => slot.clear(current.cell),
  };
}

function reducingHandle(
  reduce: (a: unknown, b: unknown) => unknown,
  current: CurrentCell,
  slot: CellSlot,
): ReducingState<unknown> {
  return {
    get: () => slot.get(current.cell) as never,
    add(value) {
      const { cell } = current;
      slot.set(cell, slot.has(cell) ? reduce(slot.get(cell), value) : value);
    },
    clear: () => slot.clear(current.cell),
  };
}

function aggregatingHandle(
  aggregate: AggregateFunction<unknown, unknown, unknown>,
  current: CurrentCell,
  slot: CellSlot,
): AggregatingState<unknown, unknown> {
  return {
    get() {
      if (!slot.has(current.cell)) return undefined;
      const accumulator = slot.get(current.cell);
      return aggregate.result === undefined ? accumulator : aggregate.result(accumulator);
    },
    add(value) {
      const { cell } = current;
      const isNew = !slot.has(cell);
      slot.update(cell, (old) => aggregate.add(isNew ? aggregate.create() : old, value));
    },
    clear: () => slot.clear(current.cell),
  };
}

function listHandle(current: CurrentCell, slot: CellSlot): ListState<unknown> {
  const held = (): readonly unknown[] =>
    (slot.get(current.cell) as readonly unknown[] | undefined) ?? [];
  const update = (elements: Iterable<unknown>): void => {
    const all = [...elements];
    if (all.length === 0) slot.clear(current.cell);
    else slot.set(current.cell, all);
  };
  return {
    get: () => held() as readonly never[],
    add: (element) => update([...held(), element]),
    addAll: (elements) => update([...held(), ...elements]),
    update,
    clear: () => slot.clear(current.cell),
  };
}

function mapHandle(current: CurrentCell, slot: CellSlot): MapState<Key, unknown> {
  type Held = ReadonlyMap<KeyIdentity, readonly [Key, unknown]>;
  const held = (): Held => (slot.get(current.cell) as Held | undefined) ?? new Map();
  const store = (entries: Held): void => {
    if (entries.size === 0) slot.clear(current.cell);
    else slot.set(current.cell, entries);
  };
  return {
    get: (key) => held().get(keyIdentity(key))?.[1] as never,
    set: (key, value) => store(new Map([...held(), [keyIdentity(key), [key, value]]])),
    has: (key) => held().has(keyIdentity(key)),
    delete(key) {
      const rest = new Map(held());
      rest.delete(keyIdentity(key));
      store(rest);
    },
    entries: () => held().values() as Iterable<never>,
    keys: () => [...held().values()].map(([key]) => key),
    values: () => [...held().values()].map(([, value]) => value as never),
    isEmpty: () => held().size === 0,
    clear: () => slot.clear(current.cell),
  };
}
