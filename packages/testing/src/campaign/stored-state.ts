import { inspectRun, type RunStore } from '@millrace/core/checkpoint';
import { toTaggedJson } from '@millrace/core/host';
import type { SlotOnDisk, StoredCheckpoints } from './stored-checkpoints.ts';

/** Lists that say what sinks wrote, or how far watermarks had come: not the state of the job. */
const FREE_LISTS = new Set(['writer', 'committables', 'window-grid']);

/**
 * All state that a checkpoint holds, one line per entry: keyed state, timers, operator lists.
 *
 * @returns sorted; equal for equal state, however it lies in runs and over subtasks
 */
export async function stateLines(stored: StoredCheckpoints, slot: SlotOnDisk): Promise<string[]> {
  const manifest = stored.manifest(slot, 'content');
  if (manifest === null) throw new Error(`manifest ${slot.manifest} is not there`);
  const root = stored.rootOf(slot);
  const inlineRuns = new Map(Object.entries(manifest.inlineRuns ?? {}));
  const readNow: RunStore['readNow'] = (reference, offset, length) => {
    const inline = inlineRuns.get(reference.file);
    const bytes =
      inline === undefined
        ? stored.files.bytes(`${root}/${reference.file}`, 'content')
        : Buffer.from(inline, 'base64');
    if (bytes === null) throw new Error(`run ${reference.file} is not there`);
    const from = reference.offset + offset;
    return bytes.slice(from, from + length);
  };
  const runStore: RunStore = {
    write: () => Promise.reject(new Error('this is for reading')),
    read: async (reference, offset, length) => readNow(reference, offset, length),
    readNow,
  };
  const lines: string[] = [];
  const copies: string[] = [];
  for (const [uid, { subtasks }] of Object.entries(manifest.operators)) {
    for (const { keyed, lists } of subtasks) {
      lines.push(...(await keyedLines(uid, keyed?.runs ?? [], runStore)));
      for (const { name, redistribution, elements } of lists) {
        if (FREE_LISTS.has(name)) continue;
        // Every subtask holds the whole of a broadcast state.
        const found = redistribution === 'broadcast' ? copies : lines;
        for (const element of elements) found.push(`${uid} ${name} ${canonical(element)}`);
      }
    }
  }
  return [...lines, ...new Set(copies)].sort();
}

type Runs = Parameters<typeof inspectRun>[1][];

async function keyedLines(
  uid: string,
  runs: Readonly<Runs>,
  runStore: RunStore,
): Promise<string[]> {
  const seen = new Set<string>();
  const lines: string[] = [];
  for (const run of runs) {
    for await (const entry of inspectRun(runStore, run)) {
      const address = JSON.stringify([
        entry.table,
        toTaggedJson(entry.key),
        toTaggedJson(entry.sub),
      ]);
      if (seen.has(address)) continue; // hidden by a newer run
      seen.add(address);
      if (entry.isTombstone) continue;
      // The place of an element in a list is that of its arrival, which is free.
      const sub = entry.kind === 'list' ? null : toTaggedJson(entry.sub);
      const shown = JSON.stringify([entry.table, toTaggedJson(entry.key), sub]);
      lines.push(`${uid} ${shown} ${canonical(toTaggedJson(entry.value))}`);
    }
  }
  return lines;
}

function canonical(json: unknown): string {
  if (!Array.isArray(json)) return JSON.stringify(json);
  return JSON.stringify(json.map((element) => JSON.stringify(element)).sort());
}
