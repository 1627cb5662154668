import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reducing, value } from '../state/descriptors.ts';
import { evictors } from './evictors.ts';
import { triggers } from './triggers.ts';
import { InvalidWindowError } from './window-arguments.ts';
import {
  checkWindow,
  countWindow,
  defaultTrigger,
  expandWindow,
  globalWindow,
  session,
  sliding,
  tumbling,
  type WindowParts,
} from './window-assigners.ts';
import type { Trigger, WindowElement } from './window.ts';

const refused = (build: () => unknown, message: RegExp): void =>
  assert.throws(
    build,
    (error) => error instanceof InvalidWindowError && message.test(error.message),
  );

test('windows refuse sizes that are not whole milliseconds above zero', () => {
  for (const size of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    refused(() => tumbling(size), /sizeMs/);
    refused(() => sliding(size, 1), /sizeMs/);
    refused(() => sliding(1, size), /slideMs/);
    refused(() => session(size), /gapMs/);
    refused(() => countWindow(size), /size/);
    refused(() => countWindow(1, size), /slide/);
    refused(() => triggers.count(size), /count/);
    refused(() => triggers.continuousEventTime(size), /intervalMs/);
    refused(() => triggers.continuousProcessingTime(size), /intervalMs/);
    refused(() => triggers.timeout(triggers.never(), { timeoutMs: size }), /timeoutMs/);
    refused(() => evictors.count(size), /count/);
    refused(() => evictors.time(size), /ms/);
  }
});

test('windows refuse an offset of a whole step: the slide, even if the size is greater', () => {
  assert.deepEqual(tumbling(1_000, { offsetMs: -999 }), {
    kind: 'tumbling',
    sizeMs: 1_000,
    offsetMs: -999,
    time: 'event',
  });
  refused(() => tumbling(1_000, { offsetMs: 1_000 }), /offsetMs/);
  refused(() => tumbling(1_000, { offsetMs: -1_000 }), /offsetMs/);
  refused(() => sliding(2_000, 1_000, { offsetMs: 1_000 }), /offsetMs/);
});

test('expandWindow makes a count window of trigger and evictor', () => {
  const groups = expandWindow(countWindow(3));
  assert.equal(groups.assigner.kind, 'global');
  assert.equal(groups.trigger?.name, 'purging(count(3))');
  assert.equal(groups.evictor, null);
  const sliding = expandWindow(countWindow(3, 2));
  assert.equal(sliding.trigger?.name, 'count(2)');
  assert.equal(sliding.evictor?.name, 'count(3)');
  assert.deepEqual(expandWindow(tumbling(5)).trigger, null);
});

const parts = (change: Partial<WindowParts>): WindowParts => ({
  assigner: tumbling(10),
  trigger: null,
  allowedLatenessMs: 0,
  contentsMerge: true,
  ...change,
});

test('checkWindow refuses a global window that nothing fires', () => {
  refused(() => checkWindow(parts({ assigner: globalWindow() })), /never fires/);
  checkWindow(parts({ assigner: globalWindow({ fire: 'endOfStream' }) }));
  checkWindow(parts({ assigner: globalWindow(), trigger: triggers.count(1) }));
  checkWindow(parts({ assigner: globalWindow(), trigger: triggers.never() })); // said aloud
});

test('checkWindow refuses sessions with what cannot merge', () => {
  const assigner = session(10);
  const custom = (state: NonNullable<Trigger['state']>): Trigger => ({
    ...triggers.never(),
    state,
  });
  checkWindow(parts({ assigner, trigger: triggers.purging(triggers.count(2)) }));
  checkWindow(parts({ assigner, trigger: custom({ sum: reducing<number>((a, b) => a + b) }) }));
  refused(() => checkWindow(parts({ assigner, contentsMerge: false })), /merge/);
  refused(() => checkWindow(parts({ assigner, trigger: custom({ last: value(0) }) })), /"last"/);
  const delta = triggers.delta(1, () => 0);
  for (const inner of [delta, triggers.timeout(triggers.count(1), { timeoutMs: 1 })]) {
    for (const trigger of [inner, triggers.purging(inner), triggers.early(inner)]) {
      refused(() => checkWindow(parts({ assigner, trigger: trigger as Trigger })), /cannot merge/);
    }
  }
});

test('checkWindow refuses a negative allowed lateness', () => {
  refused(() => checkWindow(parts({ allowedLatenessMs: -1 })), /lateness/);
  refused(() => checkWindow(parts({ allowedLatenessMs: Number.NaN })), /lateness/);
  checkWindow(parts({ allowedLatenessMs: Number.POSITIVE_INFINITY }));
});

test('a timeout inside a timeout is refused: their states have one name', () => {
  const inner = triggers.timeout(triggers.count(1), { timeoutMs: 1 });
  refused(() => triggers.timeout(inner, { timeoutMs: 2 }), /timeout/);
});

test('defaultTrigger is one object per time domain, so that it can be recognised', () => {
  assert.equal(defaultTrigger(tumbling(1)), triggers.eventTime());
  assert.equal(defaultTrigger(session(1, { time: 'processing' })), triggers.processingTime());
  assert.equal(defaultTrigger(globalWindow()), null);
});

test('evictors.time keeps everything if the first record has no timestamp', () => {
  const elements = (...times: number[]): WindowElement<null>[] =>
    times.map((timestampMs) => ({ value: null, timestampMs }));
  const keep = (times: number[]): number[] =>
    evictors.time<null>(10).evictBefore!(
      elements(...times),
      { startMs: 0, endMs: 1 },
      {} as never,
    ).map(({ timestampMs }) => timestampMs);
  assert.deepEqual(keep([5, 30, 20, 21]), [30, 21]);
  assert.deepEqual(keep([Number.NaN, 5, 30]), [Number.NaN, 5, 30]);
  assert.deepEqual(keep([30, Number.NaN, 5]), [30, Number.NaN]);
  assert.deepEqual(keep([]), []);
});
