import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseScenario, type SinkScenario, scenarioId } from './sink-scenario.ts';

test('parseScenario reads what scenarioId writes', () => {
  const scenario: SinkScenario = {
    seed: 7,
    parallelism: [1, 3, 2],
    deaths: [
      { kind: 'power', atStep: 45 },
      { kind: 'sleep', atStep: 2, wakesAt: 'checkpoint-complete' },
    ],
    commitsAgain: true,
  };
  assert.equal(scenarioId(scenario), 'seed7/p1-3-2/power@45/sleep@2:checkpoint-complete/again');
  assert.deepEqual(parseScenario(scenarioId(scenario)), scenario);
});

test('parseScenario refuses what is no id', () => {
  for (const id of [
    '',
    'seed1',
    'seed1/p',
    'seed1/p1-',
    'seed1/p1/flood@3',
    'seed1/p1/sleep@1:x',
  ]) {
    assert.throws(() => parseScenario(id), { code: 'INVALID_OPTION' }, id);
  }
});
