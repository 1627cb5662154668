import type { Key } from '../../element/key.ts';
import type { Trigger, Window } from '../../function/window.ts';
import { type Merge, planMerge } from './merging-windows.ts';
import type { WindowCell, CellSlot } from './window-cells.ts';
import type { CellTriggerContext } from './window-contexts.ts';
import type { WindowStorage } from './window-storage.ts';

/** How a record's window joins the live sessions of its key. */
export interface SessionPlan {
  readonly window: Window;
  /** The cells that become part of `window`, ascending by start; none: a new session. */
  readonly parts: readonly WindowCell[];
  /** False: the only part has these bounds already, nothing is to be done. */
  readonly grows: boolean;
}

/**
 * Merges the cells of sessions.
 *
 * C1. The trigger's states are merged first; then the trigger clears each part (with its state)
 *     and its cleanup timer goes; then `onMerge` sees the merged window.
 * C2. Contents are merged in the order of the parts' starts. A purged part brings its bounds only.
 */
export class SessionCells {
  readonly #storage: WindowStorage;
  readonly #trigger: Trigger;
  readonly #mergeContents: (a: unknown, b: unknown) => unknown;

  /** @param mergeContents of accumulators; not called where elements are kept */
  constructor(
    storage: WindowStorage,
    trigger: Trigger,
    mergeContents: (a: unknown, b: unknown) => unknown,
  ) {
    this.#storage = storage;
    this.#trigger = trigger;
    this.#mergeContents = mergeContents;
  }

  /** Changes nothing. O(live sessions of the key). */
  plan(key: Key, added: Window): SessionPlan {
    const live = this.#storage.sessions(key);
    const { window, absorbed }: Merge = planMerge(
      live.map((cell) => cell.window),
      added,
    );
    const parts = absorbed.map((at) => live[at]!);
    const same =
      parts.length === 1 &&
      parts[0]!.window.startMs === window.startMs &&
      parts[0]!.window.endMs === window.endMs;
    return { window, parts, grows: !same };
  }

  /**
   * @param plan with at least one part
   * @param beforeEnd called for each part, as the context's cell, with its old bounds
   * @returns the cell of the merged window
   */
  merge(
    { window, parts }: SessionPlan,
    context: CellTriggerContext,
    beforeEnd: () => void,
  ): WindowCell {
    const triggerState = this.#mergedTriggerState(parts);
    for (const part of parts) {
      context.cell = part;
      this.#trigger.clear(part.window, context);
      beforeEnd();
    }
    const cell = this.#mergedCell(window, parts);
    for (const [slot, value] of triggerState) slot.set(cell, value);
    context.cell = cell;
    this.#trigger.onMerge?.(window, context);
    return cell;
  }

  #mergedTriggerState(parts: readonly WindowCell[]): Map<CellSlot, unknown> {
    const merged = new Map<CellSlot, unknown>();
    for (const [name, slot] of this.#storage.triggerSlots) {
      const { reduce } = this.#trigger.state![name]!; // checkWindow allows only kind `reducing`
      for (const part of parts) {
        if (!slot.has(part)) continue;
        const value = slot.get(part);
        merged.set(slot, merged.has(slot) ? reduce!(merged.get(slot), value) : value);
      }
    }
    return merged;
  }

  #mergedCell(window: Window, parts: readonly WindowCell[]): WindowCell {
    const first = parts[0]!;
    if (parts.length === 1 && first.window.startMs === window.startMs) {
      for (const slot of this.#storage.triggerSlots.values()) slot.clear(first);
      this.#storage.growSession(first, window);
      return first; // the contents stay where they are
    }
    const { accumulators, elements } = this.#storage;
    const records = parts.flatMap((part) => elements.elements(part));
    const held = parts.filter((part) => accumulators.has(part));
    const values = held.map((part) => accumulators.take(part));
    for (const part of parts) this.#storage.drop(part);
    const cell = this.#storage.addSession(first.key, window);
    elements.replace(cell, records);
    if (values.length > 0) {
      accumulators.set(
        cell,
        values.reduce((a, b) => this.#mergeContents(a, b)),
      );
    }
    return cell;
  }
}
