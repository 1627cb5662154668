import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram, MetricGroup } from './registry.ts';

test('Histogram summarises its last values and counts all', () => {
  const histogram = new Histogram(100);
  for (let i = 1; i <= 1_000; i++) histogram.update(i);
  assert.deepEqual(histogram.summary(), { count: 1_000, min: 901, max: 1_000, p50: 950, p99: 999 });
});

test('Histogram without values has no quantiles', () => {
  const { count, p99 } = new Histogram().summary();
  assert.equal(count, 0);
  assert.ok(Number.isNaN(p99));
});

test('MetricGroup gives the same counter for the same name, and reads everything', () => {
  const group = new MetricGroup();
  group.counter('late').inc();
  group.counter('late').inc(2);
  group.gauge('depth', () => 7);
  assert.deepEqual(group.read(), { late: 3, depth: 7 });
});
