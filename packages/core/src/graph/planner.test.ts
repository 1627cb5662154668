// Goal: what runs in one task is decided by the rules C1 to C4 of the planner. Method: small graphs
// made of plain data, one per rule, with the vertices they must give.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fingerprintOf } from './fingerprint.ts';
import { InvalidJobError } from './job-errors.ts';
import type { JobGraph } from './job-graph.ts';
import type { OperatorSpec } from './operator-spec.ts';
import { planOf } from './plan.ts';
import { planText } from './plan-text.ts';
import { planJob, type PlanSizes } from './planner.ts';
import type { Partitioning, StreamGraph, StreamNode } from './stream-graph.ts';
import { value } from '../state/descriptors.ts';

const notRun = (): never => assert.fail('a graph is planned, not run');
const identity = (one: unknown): unknown => one;
const keyOf = (one: unknown): string => String(one);

const MAP: OperatorSpec = { kind: 'map', map: identity };
const REDUCE: OperatorSpec = { kind: 'keyedReduce', keyOf, reduce: identity };
const SOURCE: OperatorSpec = {
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
const CO_PROCESS: OperatorSpec = {
  kind: 'keyedCoProcess',
  keyOf1: keyOf,
  keyOf2: keyOf,
  process: { onRecord1() {}, onRecord2() {} },
};

const FORWARD: Partitioning = { kind: 'forward' };
const HASH: Partitioning = { kind: 'hash', keyOf };
const CUSTOM: Partitioning = { kind: 'custom', name: 'own', partition: () => 0 };

function node(uid: string, spec: OperatorSpec, settings: Partial<StreamNode> = {}): StreamNode {
  return {
    uid,
    hasExplicitUid: true,
    spec,
    parallelism: null,
    maxParallelism: null,
    chaining: 'always',
    ...settings,
  };
}

type Edge = readonly [from: string, to: string, partitioning?: Partitioning, input?: number];

function graph(nodes: readonly StreamNode[], edges: readonly Edge[]): StreamGraph {
  return {
    jobName: 'test',
    nodes,
    edges: edges.map(([from, to, partitioning = FORWARD, input = 0]) => {
      return { from, to, input, partitioning, sideOutput: null };
    }),
  };
}

/** A source `a` and a second operator `b`. */
function pair(
  partitioning: Partitioning,
  a: Partial<StreamNode> = {},
  b: Partial<StreamNode> = {},
): StreamGraph {
  return graph([node('a', SOURCE, a), node('b', MAP, b)], [['a', 'b', partitioning]]);
}

function chainsOf(stream: StreamGraph, sizes: PlanSizes = { parallelism: 2 }): string[] {
  return planJob(stream, sizes).vertices.map(chainText);
}

function chainText({ operators }: JobGraph['vertices'][number]): string {
  return operators.map((operator) => operator.node.uid).join(' ');
}

test('planJob chains forward edges of equal parallelism (C3, C4)', () => {
  assert.deepEqual(chainsOf(pair(FORWARD)), ['a b']);
  assert.deepEqual(chainsOf(pair(FORWARD, { parallelism: 1 })), ['a', 'b']);
  assert.deepEqual(chainsOf(pair(FORWARD, { parallelism: 4 }, { parallelism: 4 })), ['a b']);
});

test('planJob makes an unequal forward a rebalance, unless it was asked for', () => {
  const job = planJob(pair(FORWARD, { parallelism: 1 }), { parallelism: 2 });
  assert.deepEqual(job.edges[0]?.edge.partitioning, { kind: 'rebalance' });
  const required: Partitioning = { kind: 'forward', required: true };
  assert.deepEqual(chainsOf(pair(required)), ['a b']);
  assert.throws(() => chainsOf(pair(required, { parallelism: 1 })), {
    name: 'InvalidJobError',
    message: 'forward from "a" to "b" joins parallelism 1 and 2',
  });
});

test('planJob cuts at every other edge, but not between two single subtasks (C4)', () => {
  const others: Partitioning[] = [
    HASH,
    { kind: 'rebalance' },
    { kind: 'rescale' },
    { kind: 'broadcast' },
  ];
  for (const partitioning of others) {
    assert.deepEqual(chainsOf(pair(partitioning)), ['a', 'b'], partitioning.kind);
    assert.deepEqual(chainsOf(pair(partitioning), {}), ['a b'], partitioning.kind);
    const otherGroups = pair(partitioning, {}, { maxParallelism: 64 });
    assert.deepEqual(chainsOf(otherGroups, {}), ['a', 'b'], partitioning.kind);
  }
  assert.deepEqual(chainsOf(pair(CUSTOM), {}), ['a', 'b']);
});

test('planJob compares key groups with those of the chain, not of the operator before', () => {
  const stream = graph(
    [node('a', SOURCE, { maxParallelism: 64 }), node('b', MAP), node('c', REDUCE)],
    [
      ['a', 'b'],
      ['b', 'c', HASH],
    ],
  );
  assert.deepEqual(chainsOf(stream, {}), ['a b', 'c']);
  assert.deepEqual(chainsOf(stream, { maxParallelism: 64 }), ['a b c']);
});

test('planJob heeds startNewChain and disableChaining (C2)', () => {
  const line = (chaining: StreamNode['chaining']): StreamGraph =>
    graph(
      [node('a', SOURCE), node('b', MAP, { chaining }), node('c', MAP)],
      [
        ['a', 'b'],
        ['b', 'c'],
      ],
    );
  for (const sizes of [{}, { parallelism: 2 }]) {
    assert.deepEqual(chainsOf(line('always'), sizes), ['a b c']);
    assert.deepEqual(chainsOf(line('head'), sizes), ['a', 'b c']);
    assert.deepEqual(chainsOf(line('never'), sizes), ['a', 'b', 'c']);
  }
});

test('planJob lets unions and two-input operators head a chain (C1)', () => {
  const union = graph(
    [node('a', SOURCE), node('b', SOURCE), node('c', MAP), node('d', MAP)],
    [
      ['a', 'c'],
      ['b', 'c'],
      ['c', 'd'],
    ],
  );
  assert.deepEqual(chainsOf(union), ['a', 'b', 'c d']);
  assert.deepEqual(chainsOf(union, {}), ['a', 'b', 'c d']);
  const connected = graph(
    [node('a', SOURCE), node('b', CO_PROCESS)],
    [
      ['a', 'b', HASH, 0],
      ['a', 'b', HASH, 1],
    ],
  );
  assert.deepEqual(chainsOf(connected, {}), ['a', 'b']);
  assert.equal(planJob(connected).edges.length, 2);
});

test('planJob makes trees: one output that several read', () => {
  const stream = graph(
    [node('a', SOURCE), node('b', MAP), node('c', MAP), node('d', MAP)],
    [
      ['a', 'b'],
      ['a', 'c'],
      ['c', 'd'],
    ],
  );
  const [vertex] = planJob(stream).vertices;
  assert.deepEqual(
    vertex?.operators.map(({ node: { uid }, upstream }) => [uid, upstream]),
    [
      ['a', -1],
      ['b', 0],
      ['c', 0],
      ['d', 2],
    ],
  );
});

test('planJob fills in sizes, and refuses those that do not fit', () => {
  const [a] = planJob(pair(FORWARD), { parallelism: 100 }).vertices;
  assert.deepEqual([a?.parallelism, a?.maxParallelism], [100, 256]);
  const [b] = planJob(pair(FORWARD), { parallelism: 2, maxParallelism: 8 }).vertices;
  assert.deepEqual([b?.parallelism, b?.maxParallelism], [2, 8]);
  for (const sizes of [
    { parallelism: 9, maxParallelism: 8 },
    { parallelism: 0 },
    { maxParallelism: 40_000 },
  ]) {
    assert.throws(() => planJob(pair(FORWARD), sizes), InvalidJobError, JSON.stringify(sizes));
  }
});

test('planJob refuses an edge from a later or unknown operator', () => {
  const nodes = [node('a', SOURCE), node('b', MAP)];
  for (const from of ['b', 'c']) {
    assert.throws(() => planJob(graph(nodes, [[from, 'b']])), /not defined before it/);
  }
});

test('vertices come before those that read them, in every shape', () => {
  const nodes = [node('n0', SOURCE)];
  const edges: Edge[] = [];
  // Every node reads an earlier one; which, and how, walks through many shapes.
  for (let i = 1; i < 60; i++) {
    const chaining = (['always', 'head', 'never'] as const)[(i * 7) % 5] ?? 'always';
    nodes.push(node(`n${i}`, MAP, { chaining, parallelism: (i % 4) + 1 }));
    edges.push([`n${(i * 31) % i}`, `n${i}`, i % 3 === 0 ? HASH : FORWARD]);
  }
  const job = planJob(graph(nodes, edges));
  const position = new Map(job.vertices.map(({ id }, index) => [id, index]));
  for (const { fromVertex, toVertex } of job.edges) {
    assert.ok(position.get(fromVertex)! < position.get(toVertex)!, `${fromVertex} ${toVertex}`);
  }
  const placed = job.vertices.flatMap(({ operators }) => operators.map((one) => one.node.uid));
  assert.equal(new Set(placed).size, nodes.length);
  const inChains = nodes.length - job.vertices.length;
  assert.equal(inChains + job.edges.length, edges.length);
});

test('fingerprintOf sees structure and state, not sizes, chaining or stateless names', () => {
  const keyed = (state: Record<string, ReturnType<typeof value>>): OperatorSpec => ({
    kind: 'keyedProcess',
    keyOf,
    process: { state, onRecord() {} },
  });
  const withSpec = (spec: OperatorSpec, settings: Partial<StreamNode> = {}): string =>
    fingerprintOf(graph([node('a', SOURCE), node('b', spec, settings)], [['a', 'b', HASH]]));
  const base = withSpec(keyed({ seen: value<unknown>(1) }));
  assert.match(base, /^[0-9a-f]{16}$/);
  const settings: Partial<StreamNode> = { parallelism: 3, maxParallelism: 7, chaining: 'never' };
  assert.equal(withSpec(keyed({ seen: value<unknown>(2) }), settings), base);
  const versioned = value<unknown>(1, { version: 2 });
  const different = [
    withSpec(keyed({})),
    withSpec(keyed({ other: value<unknown>(1) })),
    withSpec(keyed({ seen: versioned })),
    withSpec(REDUCE),
    withSpec(keyed({ seen: value<unknown>(1) }), { uid: 'b', hasExplicitUid: false }),
    fingerprintOf(graph([node('a', SOURCE), node('b', REDUCE)], [['a', 'b', CUSTOM]])),
  ];
  assert.equal(new Set([base, ...different]).size, different.length + 1);
  const named = (uid: string): string =>
    fingerprintOf(
      graph([node('a', SOURCE), node(uid, MAP, { hasExplicitUid: false })], [['a', uid]]),
    );
  assert.equal(named('map#1'), named('map#2'));
  // A stored value: it stands in checkpoints, so a change of the hash must be meant.
  assert.equal(fingerprintOf(pair(FORWARD)), '432c8209901cd276');
});

test('planText draws chains with sizes, partitioning and state', () => {
  const stream = graph(
    [
      node('numbers', SOURCE, { parallelism: 1 }),
      node('map#1', MAP, { hasExplicitUid: false, parallelism: 1, name: 'double' }),
      node('largest', REDUCE),
      node('meet', CO_PROCESS),
    ],
    [
      ['numbers', 'map#1'],
      ['map#1', 'largest', HASH],
      ['largest', 'meet', HASH, 0],
      ['numbers', 'meet', CUSTOM, 1],
    ],
  );
  const plan = planOf(planJob(stream, { parallelism: 2 }));
  assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
  assert.equal(
    planText({ ...plan, fingerprint: 'f00' }),
    `job test (fingerprint f00): 3 chains, 5 tasks

chain numbers, parallelism 1 of 128
  source "numbers"  numbers, bounded, exactly-once
    state: splits (list, split)
    map#1 (double)

chain largest, parallelism 2 of 128
  <- hash from "map#1"
  keyedReduce "largest"
    state: reduced (value v1)

chain meet, parallelism 2 of 128
  <- input 1: hash from "largest"
  <- input 2: custom own from "numbers"
  keyedCoProcess "meet"
    state: timers/event (timer v1), timers/processing (timer v1)
`,
  );
});
