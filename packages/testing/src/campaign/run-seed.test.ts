// Goal: the campaign is deterministic, passes what is right and finds what is wrong: a sink that
// makes output visible before its checkpoint, and one that loses what it prepared.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { job } from '@millrace/core';
import type { Sink } from '@millrace/core/connector';
import { fromArray, memorySink } from '@millrace/connectors';
import type { CampaignJob } from './campaign-job.ts';
import { replaySeed } from './replay-seed.ts';
import { differences, SeedRunner } from './run-seed.ts';

const NUMBERS = Array.from({ length: 200 }, (_, i) => `${i}`);

/** A job that copies numbers into a sink; the sink is made anew for each run. */
function copyJob(name: string, makeSink: () => ReturnType<typeof memorySink<string>>): CampaignJob {
  let sink = makeSink();
  return {
    name,
    parallelisms: [2],
    build(inputSize) {
      sink = makeSink();
      const count = Math.round(Math.min(1, inputSize) * NUMBERS.length);
      return job(name, (flow) => {
        flow
          .from('numbers', fromArray(NUMBERS.slice(0, count)))
          .rebalance()
          .to('out', sink);
      });
    },
    committed: () => sink.values(),
  };
}

const SEEDS = [1, 2, 3, 4, 5, 6];

test('a seed gives the same outcome on every run, digest included', async () => {
  const first = new SeedRunner();
  const second = new SeedRunner();
  for (const seed of SEEDS.slice(0, 4)) {
    const copy = copyJob('copy', memorySink<string>);
    const outcome = await first.run(copy, seed);
    assert.deepEqual(outcome.problems, []);
    const again = await second.run(copy, seed);
    assert.equal(again.digest, outcome.digest);
    assert.deepEqual(again.story, outcome.story);
  }
});

test('a sink that shows records too early is found, and the case made small', async () => {
  const eager = (): ReturnType<typeof memorySink<string>> => {
    const shown: string[] = [];
    const sink = memorySink<string>();
    const createWriter: Sink<string>['createWriter'] = (context) => {
      const writer = sink.createWriter(context, []);
      return { ...writer, write: (value) => void shown.push(value) };
    };
    return { ...sink, createWriter, values: () => shown } as ReturnType<typeof memorySink<string>>;
  };
  const runner = new SeedRunner();
  const copy = copyJob('eager', eager);
  for (const seed of SEEDS) {
    const { problems } = await runner.run(copy, seed);
    if (problems.length === 0) continue;
    assert.equal(problems[0]!.oracle, 'output');
    const replay = await replaySeed(runner, copy, seed, null, true);
    assert.equal(replay.isGood, false);
    assert.match(replay.text, /2 times instead of 1/);
    assert.ok(replay.shrunk !== null && replay.shrunk.lives.length <= 2);
    return;
  }
  assert.fail('no seed has found it');
});

test('differences says what is lost, doubled and never expected', () => {
  assert.deepEqual(differences(['a', 'b', 'b'], ['b', 'b', 'b', 'c'], false), [
    'lost 1 times: a',
    '3 times instead of 2: b',
    'not expected, 1 times: c',
  ]);
  assert.deepEqual(differences(['a'], ['a', 'a'], true), []);
});
