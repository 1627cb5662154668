// Found by a newcomer: at parallelism 1 the last windows never came out if event time was read
// behind a map, or if a mapAsync stood before the window. An operator that sends a watermark on
// from inside `onWatermark` had its child's entry taken off the chain's work list, not its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromArray, memorySink } from '@millrace/connectors';
import { type DataStream, type Flow, job, run, session, tumbling } from '@millrace/core';
import { VirtualEnvironment } from '@millrace/testing';

interface View {
  readonly user: string;
  readonly at: number;
}

const VIEWS: readonly View[] = Array.from({ length: 40 }, (_, i) => ({
  user: `u${i % 3}`,
  at: i * 100,
}));
const eventTime = { timestamp: (view: View) => view.at };

const SHAPES: Readonly<Record<string, (flow: Flow) => DataStream<View>>> = {
  'on the source': (flow) => flow.from('views', fromArray(VIEWS)).eventTime(eventTime),
  'behind a map': (flow) =>
    flow
      .from('views', fromArray(VIEWS))
      .map((view) => view)
      .eventTime(eventTime),
  'behind a union': (flow) =>
    flow
      .from('views', fromArray(VIEWS.slice(0, 20)))
      .union(flow.from('more', fromArray(VIEWS.slice(20))))
      .eventTime({ ...eventTime, maxOutOfOrdernessMs: 10_000 }),
  'on the source, with mapAsync behind it': (flow) =>
    flow
      .from('views', fromArray(VIEWS))
      .eventTime(eventTime)
      .mapAsync('enrich', async (view) => view, { order: 'unordered' }),
  'behind a mapAsync': (flow) =>
    flow
      .from('views', fromArray(VIEWS))
      .mapAsync('enrich', async (view) => view)
      .eventTime(eventTime),
};

for (const [name, shape] of Object.entries(SHAPES)) {
  for (const parallelism of [1, 2]) {
    test(`all windows fire at the end: time ${name}, parallelism ${parallelism}`, async () => {
      const tumbled = memorySink<number>();
      const sessions = memorySink<number>();
      const definition = job('views', (flow) => {
        const views = shape(flow).keyBy((view) => view.user);
        const count = { create: () => 0, add: (sum: number) => sum + 1, merge: plus };
        const counts = views.window(tumbling(1_000)).aggregate('counts', count);
        counts.map((window) => window.value).to('tumbled', tumbled);
        const visits = views.window(session(5_000)).aggregate('visits', count);
        visits.map((window) => window.value).to('sessions', sessions);
      });
      const environment = new VirtualEnvironment({ seed: 3 });
      const tuning = { batchSize: 4, elementsPerTurn: 1 };
      const execution = await environment.runUntil(
        run(definition, { environment, parallelism, tuning }),
      );
      await environment.runUntil(execution.done, 20_000);
      assert.equal(tumbled.values().reduce(plus, 0), VIEWS.length);
      assert.equal(sessions.values().reduce(plus, 0), VIEWS.length);
    });
  }
}

function plus(a: number, b: number): number {
  return a + b;
}
