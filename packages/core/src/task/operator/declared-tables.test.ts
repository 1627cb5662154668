// Goal: `tablesOf` (graph) names exactly what operators register, or a restore would refuse state
// that is fine. Method: each kind of operator is opened over a store that only writes names down.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operatorList } from '../../function/process-function.ts';
import { triggers } from '../../function/triggers.ts';
import { session, sliding, tumbling } from '../../function/window-assigners.ts';
import type { WindowAssigner } from '../../function/window.ts';
import type { OperatorSpec, WindowSpec } from '../../graph/operator-spec.ts';
import { tablesOf } from '../../graph/state-tables.ts';
import { MetricGroup } from '../../metrics/registry.ts';
import { list, map, type StateDescriptors, value } from '../../state/descriptors.ts';
import type { EntryTableSpec } from '../../state/entry-table.ts';
import { COMMITTABLES_STATE, WRITER_STATE } from '../sink/sink-operator.ts';
import { SPLITS_STATE } from '../source/source-operator.ts';
import { createOperator } from './create-operator.ts';
import type { OperatorContext } from './operator.ts';

const keyOf = (one: unknown): string => String(one);
const notRun = (): never => assert.fail('the operator is opened, not run');
const state: StateDescriptors = { seen: value<unknown>(), amounts: list(), byId: map() };

/** What an operator asked its context for. */
interface Registered {
  readonly keyed: string[];
  readonly lists: string[];
}

function registeredBy(spec: OperatorSpec): Registered {
  const registered: Registered = { keyed: [], lists: [] };
  const keyed = {
    keyGroupRange: { first: 0, last: 127 },
    maxParallelism: 128,
    states(descriptors: StateDescriptors) {
      for (const [name, { kind, options }] of Object.entries(descriptors)) {
        registered.keyed.push(`${name} ${kind} ${options.version ?? 1}`);
      }
      return Object.fromEntries(Object.keys(descriptors).map((name) => [name, {}]));
    },
    table({ name, kind, version }: EntryTableSpec<unknown>) {
      registered.keyed.push(`${name} ${kind} ${version ?? 1}`);
      return { create: notRun, write: notRun, remove: notRun, restored() {} };
    },
  };
  const context = {
    operatorUid: 'under-test',
    subtaskIndex: 0,
    parallelism: 1,
    maxParallelism: 128,
    metrics: new MetricGroup(),
    environment: { clock: { nowMs: () => 0 } },
    output: { emit: notRun },
    sideOutput: () => ({ emit: notRun }),
    isRestored: false,
    requestProcessingTime() {},
    shouldYield: () => false,
    keyed,
    operatorState: {
      list(name: string, redistribution: string) {
        registered.lists.push(`${name} ${redistribution}`);
        return { get: () => [], update() {}, add() {} };
      },
      broadcast(name: string) {
        registered.lists.push(`${name} broadcast`);
        return { get: notRun, entries: () => [], size: 0 };
      },
    },
  };
  // Stands in for a whole context: an operator that needs more of it fails the test.
  createOperator(spec).open(context as unknown as OperatorContext);
  return registered;
}

function declaredBy(spec: OperatorSpec): Registered {
  const { keyed, lists } = tablesOf(spec);
  return {
    keyed: keyed.map(({ name, kind, version }) => `${name} ${kind} ${version}`),
    lists: lists.map(({ name, redistribution }) => `${name} ${redistribution}`),
  };
}

function windowOf(assigner: WindowAssigner, more: Partial<WindowSpec> = {}): OperatorSpec {
  const sum = {
    create: () => 0,
    add: (a: unknown, b: unknown) => Number(a) + Number(b),
    merge: (a: unknown, b: unknown) => Number(a) + Number(b),
  };
  const window: WindowSpec = {
    keyOf,
    assigner,
    trigger: null,
    evictor: null,
    allowedLatenessMs: 0,
    lateOutput: null,
    body: { kind: 'aggregate', aggregate: sum },
    windowFunction: null,
    ...more,
  };
  return { kind: 'window', window };
}

const windowFunction = { state, onWindow() {} };
const collect = { kind: 'collect' } as const;
const process = { state, onRecord() {}, onRecord1() {}, onRecord2() {}, onBroadcast() {} };
const joined = { keyOf1: keyOf, keyOf2: keyOf };

const specs: Readonly<Record<string, OperatorSpec>> = {
  keyedProcess: { kind: 'keyedProcess', keyOf, process: { ...process, onTimer() {} } },
  'keyedProcess without timers': { kind: 'keyedProcess', keyOf, process },
  'keyedProcess without state': { kind: 'keyedProcess', keyOf, process: { onRecord() {} } },
  keyedReduce: { kind: 'keyedReduce', keyOf, reduce: (a) => a },
  keyedCoProcess: { kind: 'keyedCoProcess', ...joined, process },
  keyedBroadcastProcess: { kind: 'keyedBroadcastProcess', keyOf, stateName: 'rules', process },
  broadcastProcess: { kind: 'broadcastProcess', stateName: 'rules', process },
  process: {
    kind: 'process',
    process: { operatorState: { a: operatorList(), b: operatorList('union') }, onRecord() {} },
  },
  mapAsync: { kind: 'mapAsync', call: notRun, options: {} },
  assignTimestamps: {
    kind: 'assignTimestamps',
    watermarks: { createGenerator: () => ({ onRecord: notRun, onPeriodic: () => 0 }) },
  },
  intervalJoin: {
    kind: 'intervalJoin',
    ...joined,
    interval: { lowerMs: 0, upperMs: 5 },
    lateOutputs: { left: null, right: null },
    join: { onPair() {} },
  },
  windowJoin: {
    kind: 'windowJoin',
    ...joined,
    assigner: tumbling(10),
    trigger: null,
    allowedLatenessMs: 0,
    body: { kind: 'join', join: notRun },
  },
  'window tumbling': windowOf(tumbling(10)),
  'window sliding': windowOf(sliding(10, 5)),
  'window session': windowOf(session(10)),
  'window tumbling by clock': windowOf(tumbling(10, { time: 'processing' })),
  'window with trigger': windowOf(tumbling(10), { trigger: triggers.count(3) }),
  'window with function': windowOf(tumbling(10), { windowFunction, body: collect }),
  'sliding with function': windowOf(sliding(10, 5), { windowFunction }),
  'session with function': windowOf(session(10), { windowFunction, body: collect }),
  'session with trigger': windowOf(session(10), { trigger: triggers.count(3), windowFunction }),
};

for (const [name, spec] of Object.entries(specs)) {
  test(`tablesOf names what ${name} registers`, () => {
    const [declared, registered] = [declaredBy(spec), registeredBy(spec)];
    assert.deepEqual(declared.keyed.toSorted(), registered.keyed.toSorted());
    assert.deepEqual(declared.lists.toSorted(), registered.lists.toSorted());
  });
}

test('tablesOf names the lists of sources and sinks', () => {
  const source: OperatorSpec = {
    kind: 'source',
    source: {
      name: 'numbers',
      boundedness: 'bounded',
      delivery: 'exactly-once',
      createEnumerator: notRun,
      createReader: notRun,
    },
    watermarks: null,
  };
  assert.deepEqual(declaredBy(source).lists, [`${SPLITS_STATE} split`]);
  const sink: OperatorSpec = {
    kind: 'sink',
    sink: { name: 'out', delivery: 'exactly-once', createWriter: notRun },
  };
  assert.deepEqual(declaredBy(sink).lists, [
    `${WRITER_STATE} split`,
    `${COMMITTABLES_STATE} split`,
  ]);
});
