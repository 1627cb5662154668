import { type Key, keyIdentity } from '../element/key.ts';
import type { KeyGroupRange } from '../element/key-group.ts';
import type { EntryReader } from './entry-reader.ts';
import type { DeclaredState } from './declare-state.ts';
import { ABSENT, type KeySlots } from './key-slots.ts';

/** Where to look for keys. */
export interface KeySource {
  readonly keyGroupRange: KeyGroupRange;
  readonly keys: KeySlots;
  readonly cold: EntryReader;
}

/**
 * Visits every key that holds something of a state, making it current; by key group, unless all
 * keys are in memory. Keys that `visit` adds are not visited.
 *
 * @param pause called between two key groups: memory may be evicted
 *
 * Cost: O(keys); memory O(keys in memory + keys of one key group).
 */
export function visitKeys(
  { keyGroupRange, keys, cold }: KeySource,
  state: DeclaredState,
  visit: (key: Key) => void,
  pause: () => void,
): void {
  const resident = residentKeys(keys, state);
  if (keys.isComplete) {
    for (const list of resident.values()) visitAll(keys, list, visit);
    return;
  }
  for (let keyGroup = keyGroupRange.first; keyGroup <= keyGroupRange.last; keyGroup++) {
    const list = resident.get(keyGroup) ?? [];
    const known = new Set(list.map((key) => keyIdentity(key)));
    // A key that has a slot says itself what it holds.
    const isUnknown = (key: Key): boolean =>
      keys.find(key) === undefined && !known.has(keyIdentity(key));
    const records = cold.range(state.table, keyGroup, isUnknown);
    for (let record = records.next(); record !== null; record = records.next()) {
      known.add(keyIdentity(record.key));
      list.push(record.key);
    }
    visitAll(keys, list, visit);
    pause();
  }
}

function residentKeys(keys: KeySlots, state: DeclaredState): Map<number, Key[]> {
  const byGroup = new Map<number, Key[]>();
  for (let slot = 0; slot < keys.length; slot++) {
    const key = keys.keys[slot];
    if (key === undefined || state.column.values[slot] === ABSENT || !state.holds(slot)) continue;
    const keyGroup = keys.isComplete ? 0 : keys.keyGroups[slot]!;
    const list = byGroup.get(keyGroup);
    if (list === undefined) byGroup.set(keyGroup, [key]);
    else list.push(key);
  }
  return byGroup;
}

function visitAll(keys: KeySlots, list: readonly Key[], visit: (key: Key) => void): void {
  for (const key of list) {
    keys.setCurrent(key);
    visit(key);
  }
}

/** Whether the runs hold an entry of a state that memory does not say has ended. */
export function holdsStored(
  { keyGroupRange, keys, cold }: KeySource,
  state: DeclaredState,
): boolean {
  for (let keyGroup = keyGroupRange.first; keyGroup <= keyGroupRange.last; keyGroup++) {
    const records = cold.range(state.table, keyGroup);
    for (let record = records.next(); record !== null; record = records.next()) {
      const slot = keys.find(record.key);
      if (slot === undefined || state.holds(slot)) return true;
    }
  }
  return false;
}
