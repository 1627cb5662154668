// Goal: a job that was changed goes on with the state of the old one, entry by entry when it is
// read, and what cannot be is refused before anything is touched. Method: whole jobs, one version
// after the other, on one checkpoint directory in the virtual environment.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datagen, memorySink } from '@millrace/connectors';
import {
  type JobDefinition,
  type JobEvent,
  type JobExecution,
  job,
  map,
  type RunOptions,
  run,
  type StateDescriptors,
  type,
  value,
} from '@millrace/core';
import {
  checkpointRunSource,
  dumpTable,
  latestOf,
  type Manifest,
  readLogOf,
  readManifest,
  storedTables,
} from '@millrace/core/checkpoint';
import { VirtualEnvironment } from '@millrace/testing';
import { MemoryStorage } from '../../packages/core/src/storage/memory-storage.ts';

/** Numbers 0 to 59 go to keys 0 to 9, later ones to keys 0 to 2: the others are not touched. */
function keyOf(number: number): number {
  return number < 60 ? number % 10 : number % 3;
}

/** What a version of the job does with a number; the states are those of its key. */
interface Version<S> {
  readonly state: StateDescriptors;
  onNumber(state: S, number: number): unknown;
}

interface World {
  readonly environment: VirtualEnvironment;
  readonly storage: MemoryStorage;
  readonly events: JobEvent[];
  /** Runs a version until it has handled so many numbers, then stops it. @returns its output */
  handle<S>(version: Version<S>, count: number, options?: RunOptions): Promise<unknown[]>;
  manifest(): Promise<Manifest>;
  /** Versions of stored entries of `totals`, by key. */
  versions(): Promise<ReadonlyMap<unknown, number>>;
}

function world(): World {
  const environment = new VirtualEnvironment({ seed: 3, msPerStep: 0.1 });
  const storage = new MemoryStorage();
  const events: JobEvent[] = [];
  const manifest = async (): Promise<Manifest> => {
    const { log } = await readLogOf(storage, environment);
    return readManifest(storage, environment, latestOf(log)!);
  };
  return {
    environment,
    storage,
    events,
    manifest: () => environment.runUntil(manifest()),
    async handle(version, count, options = {}) {
      let handled = 0;
      const sink = memorySink<unknown>();
      const definition = jobOf(version, sink, () => handled++);
      const execution = await environment.runUntil(
        start(definition, environment, storage, events, options),
      );
      let failure: unknown = null;
      execution.done.catch((error: unknown) => {
        failure = error;
      });
      while (handled < count && failure === null) await environment.step();
      if (failure !== null) throw failure;
      await environment.runUntil(execution.stop());
      return sink.values() as unknown[];
    },
    versions: () =>
      environment.runUntil(
        (async () => {
          const { operators } = await manifest();
          const source = checkpointRunSource(storage, environment);
          const versions = new Map<unknown, number>();
          for await (const entry of dumpTable(operators.count!, source, 'totals', { nowMs: 0 })) {
            versions.set(entry.key, entry.version);
          }
          return versions;
        })(),
      ),
  };
}

function start(
  definition: JobDefinition,
  environment: VirtualEnvironment,
  storage: MemoryStorage,
  events: JobEvent[],
  options: RunOptions,
): Promise<JobExecution> {
  return run(definition, {
    environment,
    storage,
    checkpoints: { directory: 'memory', intervalMs: 5 },
    onEvent: (event) => events.push(event),
    ...options,
  });
}

function jobOf<S>(
  { state, onNumber }: Version<S>,
  sink: ReturnType<typeof memorySink<unknown>>,
  onHandled: () => void,
): JobDefinition {
  return job('evolving', (flow) => {
    flow
      .from('numbers', datagen({ make: (number) => number, ratePerSecond: 1_000 }))
      .keyBy(keyOf)
      .process('count', {
        state,
        output: type<unknown>(),
        onRecord(number, context) {
          // The states of a version are those that it declares.
          const output = onNumber(context.state as S, number);
          onHandled();
          context.emit(output);
        },
      })
      .to('out', sink);
  });
}

interface ValueOf<T> {
  get(): T;
  set(value: T): void;
}

const first: Version<{ totals: ValueOf<{ n: number } | undefined> }> = {
  state: { totals: value<{ n: number } | undefined>(undefined) },
  onNumber({ totals }, number) {
    totals.set({ n: (totals.get()?.n ?? 0) + 1 });
    return number;
  },
};

/** Version 2 counts in `count`; `seen` is told each value that goes through `migrate`. */
function second(seen: unknown[]): Version<{ totals: ValueOf<{ count: number }> }> {
  return {
    state: {
      totals: value(
        { count: 0 },
        {
          version: 2,
          migrate(old, oldVersion) {
            seen.push([old, oldVersion]);
            return { count: (old as { n: number }).n };
          },
        },
      ),
    },
    onNumber({ totals }, number) {
      totals.set({ count: totals.get().count + 1 });
      return { key: keyOf(number), ...totals.get() };
    },
  };
}

test('fields may be added and removed without a version', async () => {
  const { handle, events } = world();
  const before = await handle(first, 60);
  const more: Version<{ totals: ValueOf<{ n?: number; label?: string; last: number }> }> = {
    state: { totals: value<{ n?: number; label?: string; last: number }>({ last: -1 }) },
    onNumber({ totals }) {
      const { n = 0, label } = totals.get();
      // The field `n` goes over into `last`; old values have no `label` yet.
      totals.set(label === undefined ? { last: n + 1, label: 'new' } : { last: -2, label });
      return totals.get();
    },
  };
  const after = await handle(more, 10);
  const counted = (key: number): number =>
    before.filter((number) => keyOf(number as number) === key).length;
  const at = before.length;
  assert.deepEqual(after[0], { last: counted(keyOf(at)) + 1, label: 'new' });
  assert.deepEqual(after.at(-1), { last: -2, label: 'new' });
  const restored = events.find((event) => event.kind === 'restored');
  assert.deepEqual(restored?.changes, []);
});

test('entries are migrated when read, each once, and written in the new version', async () => {
  const { handle, events, manifest, versions } = world();
  const before = await handle(first, 60);
  assert.deepEqual(new Set((await versions()).values()), new Set([1]));
  const seen: unknown[] = [];
  const after = (await handle(second(seen), 90)) as { key: number; count: number }[];

  const restored = events.find((event) => event.kind === 'restored');
  assert.deepEqual(
    restored?.changes.map(({ state, change, storedVersions, version }) => {
      return [state, change, storedVersions, version];
    }),
    [['totals', 'migrated', [1], 2]],
  );
  for (const key of [0, 1, 2]) {
    const counts = after.filter((output) => output.key === key).map(({ count }) => count);
    const last = before.filter((number) => keyOf(number as number) === key).length;
    assert.deepEqual(
      counts,
      counts.map((_, i) => last + 1 + i),
    );
  }
  // State that fits in memory is loaded beside the records, so more may be migrated than were
  // touched; never one twice.
  assert.ok(seen.length >= 3 && seen.length <= 10);
  assert.ok(seen.every((one) => Array.isArray(one) && one[1] === 1));
  const stored = await versions();
  assert.equal(stored.size, 10);
  for (const key of [0, 1, 2]) assert.equal(stored.get(key), 2);
  const [table] = storedTables((await manifest()).operators.count!);
  assert.deepEqual([table?.version, table?.versions], [2, [1, 2]]);
});

test('a third version gets values of both older ones, also after merges of runs', async () => {
  const { handle, versions } = world();
  await handle(first, 60);
  await handle(second([]), 200); // many checkpoints: runs are merged
  const before = await versions();
  const seen = new Map<number, number>();
  const third: Version<{ totals: ValueOf<{ sum: number; by: number }> }> = {
    state: {
      totals: value(
        { sum: 0, by: 0 },
        {
          version: 3,
          migrate(old, oldVersion) {
            seen.set(oldVersion, (seen.get(oldVersion) ?? 0) + 1);
            const { n, count } = old as { n?: number; count?: number };
            return { sum: (oldVersion === 1 ? n : count) ?? Number.NaN, by: oldVersion };
          },
        },
      ),
    },
    onNumber({ totals }) {
      totals.set({ ...totals.get(), sum: totals.get().sum + 1 });
      return totals.get();
    },
  };
  const after = (await handle(third, 30)) as { sum: number; by: number }[];
  assert.ok(after.every(({ sum, by }) => sum > 6 && by === 2));
  assert.ok(after.length > 0 && [...before.values()].includes(2));
  assert.ok((seen.get(2) ?? 0) >= 3);
});

test('what cannot be read is refused before the job is claimed', async () => {
  const { handle, storage, environment, events } = world();
  await handle(second([]), 60);
  const claims = events.filter(({ kind }) => kind === 'claimed').length;
  const slots = (await storage.list('log/')).length;
  const refused: readonly [StateDescriptors, RegExp][] = [
    [{ totals: value(0) }, /written by version 2 and the job has version 1/],
    [{ totals: value(0, { version: 3 }) }, /entries of version 2 are stored.* and no migrate/],
    [{ totals: map<string, number>({ version: 2 }) }, /of kind value and is of kind map/],
    [{}, /does not declare it/],
  ];
  for (const [state, message] of refused) {
    const version: Version<unknown> = { state, onNumber: () => 0 };
    await assert.rejects(handle(version, 1), (error: Error & { code?: string }) => {
      assert.match(error.message, message);
      return /^STATE_TABLE_(INCOMPATIBLE|MISSING)$/.test(error.code ?? '');
    });
  }
  assert.equal(events.filter(({ kind }) => kind === 'claimed').length, claims);
  assert.equal((await environment.runUntil(storage.list('log/'))).length, slots);
});

test('a migrate that throws ends the job with state and key; a better one goes on', async () => {
  const { handle } = world();
  const before = await handle(first, 60);
  const wrong = second([]);
  const state = {
    totals: value(
      { count: 0 },
      {
        version: 2,
        migrate(): { count: number } {
          throw new TypeError('not like that');
        },
      },
    ),
  };
  await assert.rejects(handle({ ...wrong, state }, 10), (error: Error & { code?: string }) => {
    const all: string[] = [];
    for (let at: unknown = error; at instanceof Error; at = at.cause) all.push(at.message);
    const text = all.join('\n');
    assert.match(text, /"totals" of operator "count": migrate failed .* key \d, version 1/);
    assert.match(text, /not like that/);
    return true;
  });
  const after = (await handle(second([]), 1)) as { key: number; count: number }[];
  const { key, count } = after[0]!;
  assert.equal(count, before.filter((number) => keyOf(number as number) === key).length + 1);
});

test('dropped state is named, and a new state of its name begins empty', async () => {
  const { handle, events } = world();
  await handle(first, 60);
  const without: Version<unknown> = { state: {}, onNumber: () => 0 };
  await handle(without, 5, { allowDroppedState: true });
  const changes = events.filter((event) => event.kind === 'restored').at(-1)?.changes ?? [];
  assert.deepEqual(
    changes.map(({ state, change }) => [state, change]),
    [['totals', 'dropped']],
  );
  const after = (await handle(second([]), 5)) as { count: number }[];
  assert.deepEqual(after[0]?.count, 1);
});
