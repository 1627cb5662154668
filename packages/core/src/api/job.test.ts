import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidOptionError } from '../base/invalid-option-error.ts';
import { broadcastMap, sideOutput } from '../function/process-function.ts';
import type { Sink } from '../function/sink.ts';
import { DEAD_LETTERS, type Source } from '../function/source.ts';
import { triggers } from '../function/triggers.ts';
import { InvalidWindowError } from '../function/window-arguments.ts';
import { globalWindow, session, tumbling } from '../function/window-assigners.ts';
import {
  DuplicateUidError,
  InvalidJobError,
  NonDeterministicJobError,
} from '../graph/job-errors.ts';
import type { StreamGraph, StreamNode } from '../graph/stream-graph.ts';
import { value } from '../state/descriptors.ts';
import type { Flow, SourceStream } from './flow.ts';
import { job } from './job.ts';

const notRun = (): never => assert.fail('a graph is built, not run');
const numbers: Source<number> = {
  name: 'numbers',
  boundedness: 'bounded',
  delivery: 'exactly-once',
  createEnumerator: notRun,
  createReader: notRun,
};
const out: Sink<unknown> = { name: 'out', delivery: 'at-least-once', createWriter: notRun };

function graphOf(define: (numbers: SourceStream<number>, flow: Flow) => void): StreamGraph {
  return job('test', (flow) => define(flow.from('numbers', numbers), flow)).build();
}

function nodeOf(graph: StreamGraph, uid: string): StreamNode {
  return graph.nodes.find((node) => node.uid === uid) ?? assert.fail(`no node ${uid}`);
}

test('job builds nodes and edges in the order of definition', () => {
  const graph = graphOf((source) => {
    source
      .map((n) => n + 1)
      .filter((n) => n > 1)
      .to('out', out);
  });
  assert.deepEqual(
    graph.nodes.map(({ uid, hasExplicitUid }) => [uid, hasExplicitUid]),
    [
      ['numbers', true],
      ['map#1', false],
      ['filter#1', false],
      ['out', true],
    ],
  );
  assert.deepEqual(
    graph.edges.map(({ from, to, partitioning }) => [from, to, partitioning.kind]),
    [
      ['numbers', 'map#1', 'forward'],
      ['map#1', 'filter#1', 'forward'],
      ['filter#1', 'out', 'forward'],
    ],
  );
});

test('job hands the parameters over, and builds a graph per call', () => {
  const definition = job('test', (flow, { sink }) => {
    flow.from('numbers', numbers).to(sink ?? 'none', out);
  });
  assert.equal(definition.name, 'test');
  assert.equal(definition.build({ sink: 'given' }).nodes[1]?.uid, 'given');
  assert.equal(definition.build().nodes[1]?.uid, 'none');
});

test('job refuses names, uids and sizes that cannot be', () => {
  for (const name of ['', 'a/b', '../a', 'a b', 7 as unknown as string]) {
    assert.throws(() => job(name, () => {}), InvalidJobError, `name ${name}`);
  }
  for (const uid of ['', 'map#1', ' a', undefined as unknown as string]) {
    assert.throws(() => graphOf((source) => source.to(uid, out)), InvalidJobError, `uid ${uid}`);
  }
  for (const size of [0, -1, 1.5, Number.NaN, 32_769, '2' as unknown as number]) {
    assert.throws(() => graphOf((source) => source.parallelism(size)), InvalidJobError);
    assert.throws(() => graphOf((source) => source.maxParallelism(size)), InvalidJobError);
  }
  assert.throws(() => graphOf((source) => source.parallelism(3).maxParallelism(2)), {
    name: 'InvalidJobError',
    message: 'operator "numbers" has parallelism 3 but maxParallelism 2',
  });
});

test('job refuses two operators of one uid, naming it', () => {
  const build = () =>
    graphOf((source) => {
      source.to('twice', out);
      source.to('twice', out);
    });
  assert.throws(build, (error: DuplicateUidError) => {
    assert.ok(error instanceof DuplicateUidError);
    assert.deepEqual(error.details, { job: 'test', operatorUid: 'twice' });
    return true;
  });
});

test('job refuses a graph without a source, and takes one without a sink', () => {
  assert.throws(() => job('test', () => {}).build(), InvalidJobError);
  assert.equal(graphOf(() => {}).nodes.length, 1);
});

test('job finds out that a function depends on something else than its parameters', () => {
  let calls = 0;
  const definition = job('test', (flow) => {
    flow.from('numbers', numbers).to(`out-${++calls}`, out);
  });
  assert.throws(() => definition.build(), NonDeterministicJobError);
});

test('job refuses an asynchronous function and changes after the build', async () => {
  let kept: Flow | undefined;
  const asynchronous = job('test', async (flow) => {
    flow.from('numbers', numbers);
  });
  assert.throws(() => asynchronous.build(), InvalidJobError);
  job('test', (flow) => {
    kept = flow;
    flow.from('numbers', numbers);
  }).build();
  assert.throws(() => kept?.from('more', numbers), /after job "test" was built/);
});

test('a stream of another graph is refused', () => {
  let kept: SourceStream<number> | undefined;
  graphOf((source) => {
    kept = source;
  });
  assert.throws(
    () => graphOf((source) => source.union(kept!).to('out', out)),
    /reads "numbers", which belongs to another graph/,
  );
});

test('eventTime belongs to the source directly on it, and is an operator elsewhere', () => {
  const onSource = graphOf((source) => source.eventTime({ timestamp: (n) => n }));
  const { spec } = nodeOf(onSource, 'numbers');
  assert.ok(spec.kind === 'source' && spec.watermarks?.timestamp?.(5, 0) === 5);
  const later = graphOf((source) => source.map((n) => n).eventTime({ idleAfterMs: 5 }));
  const assign = nodeOf(later, 'assignTimestamps#1').spec;
  assert.ok(assign.kind === 'assignTimestamps' && assign.watermarks.idleAfterMs === 5);
  assert.throws(() => graphOf((source) => source.eventTime({}).eventTime({})), InvalidJobError);
});

test('eventTime refuses options that make no sense', () => {
  const alignment = { group: 'g', maxDriftMs: 1 };
  const strategy = { createGenerator: notRun };
  for (const define of [
    (source: SourceStream<number>) => source.eventTime({ maxOutOfOrdernessMs: -1 }),
    (source: SourceStream<number>) => source.eventTime({ maxOutOfOrdernessMs: 1, strategy }),
    (source: SourceStream<number>) => source.eventTime({ idleAfterMs: 0 }),
    (source: SourceStream<number>) => source.map((n) => n).eventTime({ alignment }),
  ]) {
    assert.throws(() => graphOf(define), InvalidOptionError);
  }
});

test('partitionings replace each other, and a union keeps that of each side', () => {
  const graph = graphOf((source) => {
    source.rebalance().rescale().map(String).to('a', out);
    source
      .broadcast()
      .union(source.map((n) => n).partitionCustom('own', () => 0))
      .to('b', out);
    source
      .forward()
      .hash((n) => n)
      .to('c', out);
  });
  const kindsTo = (uid: string): string[] =>
    graph.edges.filter((edge) => edge.to === uid).map((edge) => edge.partitioning.kind);
  assert.deepEqual(kindsTo('map#1'), ['rescale']);
  assert.deepEqual(kindsTo('b'), ['broadcast', 'custom']);
  assert.deepEqual(kindsTo('c'), ['hash']);
});

test('a stream cannot be united with itself, but can be connected with itself', () => {
  assert.throws(
    () => graphOf((source) => source.union(source).to('out', out)),
    /reads the same output of "numbers" twice/,
  );
  const graph = graphOf((source) => {
    const keyed = source.keyBy((n) => n);
    keyed.connect(keyed).process('self', { onRecord1() {}, onRecord2() {} });
  });
  assert.deepEqual(
    graph.edges.map(({ input, partitioning }) => [input, partitioning.kind]),
    [
      [0, 'hash'],
      [1, 'hash'],
    ],
  );
});

test('connect with a broadcast stream reads it as second input, in full', () => {
  const graph = graphOf((source, flow) => {
    const rules = flow.from('rules', numbers).broadcast(broadcastMap<string, number>('limits'));
    const process = { onRecord() {}, onBroadcast() {} };
    source
      .keyBy((n) => n)
      .connect(rules)
      .process('keyed', process);
    source.connect(rules).process('plain', process);
  });
  for (const [uid, kind, first] of [
    ['keyed', 'keyedBroadcastProcess', 'hash'],
    ['plain', 'broadcastProcess', 'forward'],
  ] as const) {
    const { spec } = nodeOf(graph, uid);
    assert.ok(spec.kind === kind && spec.stateName === 'limits');
    const edges = graph.edges.filter((edge) => edge.to === uid);
    assert.deepEqual(
      edges.map((edge) => [edge.from, edge.input, edge.partitioning.kind]),
      [
        ['numbers', 0, first],
        ['rules', 1, 'broadcast'],
      ],
    );
  }
});

test('side outputs, dead letters and late records are edges of their own', () => {
  const tag = sideOutput<string>('odd');
  const graph = graphOf((source) => {
    source.deadLetters().to('dead', out);
    source
      .process('split', { onRecord() {} })
      .sideOutput(tag)
      .to('odd', out);
    const windowed = source.keyBy((n) => n).window(tumbling(10));
    windowed
      .reduce('sum', (a, b) => a + b)
      .late()
      .to('late', out);
    windowed.reduce('other', (a, b) => a + b);
  });
  const sideTo = (uid: string): string | null | undefined =>
    graph.edges.find((edge) => edge.to === uid)?.sideOutput;
  assert.equal(sideTo('dead'), DEAD_LETTERS);
  assert.equal(sideTo('odd'), 'odd');
  const late = nodeOf(graph, 'sum').spec;
  assert.ok(late.kind === 'window' && late.window.lateOutput === sideTo('late'));
  const other = nodeOf(graph, 'other').spec;
  assert.ok(other.kind === 'window' && other.window.lateOutput === null);
  assert.throws(() => graphOf((source) => source.map((n) => n).sideOutput(tag)), InvalidJobError);
  const wrong = sideOutput<string>('late#records');
  assert.throws(
    () => graphOf((source) => source.process('split', { onRecord() {} }).sideOutput(wrong)),
    InvalidJobError,
  );
});

test('a window keeps what it was given, without changing the stream it came from', () => {
  const trigger = triggers.count(2);
  const graph = graphOf((source) => {
    const windowed = source.keyBy((n) => n).window(tumbling(10));
    windowed
      .trigger(trigger)
      .allowedLatenessMs(5)
      .reduce('with', (a) => a);
    windowed.reduce('without', (a) => a);
  });
  const spec = nodeOf(graph, 'with').spec;
  assert.ok(spec.kind === 'window' && spec.window.trigger === trigger);
  assert.equal(spec.window.allowedLatenessMs, 5);
  const plain = nodeOf(graph, 'without').spec;
  assert.ok(plain.kind === 'window' && plain.window.trigger === null);
});

test('a window that could never work is refused when it is defined', () => {
  const sum = { create: () => 0, add: (a: number, b: number) => a + b };
  for (const define of [
    (source: SourceStream<number>) =>
      source
        .keyBy((n) => n)
        .window(session(5))
        .aggregate('sum', sum),
    (source: SourceStream<number>) =>
      source
        .keyBy((n) => n)
        .window(globalWindow())
        .aggregate('sum', sum),
    (source: SourceStream<number>) =>
      source
        .keyBy((n) => n)
        .window(tumbling(5))
        .allowedLatenessMs(-1)
        .aggregate('sum', sum),
    (source: SourceStream<number>) => {
      const keyed = source.keyBy((n) => n);
      keyed.windowJoin(keyed, globalWindow()).join('pairs', (a, b) => [a, b]);
    },
  ]) {
    assert.throws(() => graphOf(define), InvalidWindowError);
  }
});

test('joins have two hashed inputs, and late outputs by tag', () => {
  const tag = sideOutput<number>('late-right');
  const graph = graphOf((source) => {
    const keyed = source.keyBy((n) => n);
    const interval = { lowerMs: -5, upperMs: 5, lateRight: tag };
    keyed
      .intervalJoin(keyed, interval)
      .process('near', { onPair() {} })
      .sideOutput(tag);
    keyed.windowJoin(keyed, tumbling(10)).join('same', (a, b) => a + b);
  });
  const { spec } = nodeOf(graph, 'near');
  assert.ok(spec.kind === 'intervalJoin');
  assert.deepEqual(spec.interval, { lowerMs: -5, upperMs: 5 });
  assert.deepEqual(spec.lateOutputs, { left: null, right: 'late-right' });
  assert.equal(nodeOf(graph, 'same').spec.kind, 'windowJoin');
  assert.throws(
    () =>
      graphOf((source) => {
        const keyed = source.keyBy((n) => n);
        keyed.intervalJoin(keyed, { lowerMs: 2, upperMs: 1 });
      }),
    InvalidOptionError,
  );
});

test('flatMap puts out what is emitted and what is returned, and hands a promise on', () => {
  const graph = graphOf((source) => {
    source.flatMap((n) => [n, n + 1]);
    source.flatMap<number>((n, emit) => emit(n));
    source.flatMap(function* (n) {
      yield n;
      yield -n;
    });
    source.flatMap((n) => Promise.resolve([n]) as unknown as number[]);
  });
  const run = (uid: string): { emitted: unknown[]; returned: unknown } => {
    const { spec } = nodeOf(graph, uid);
    assert.ok(spec.kind === 'flatMap');
    const emitted: unknown[] = [];
    const returned: unknown = spec.flatMap(7, (one) => void emitted.push(one));
    return { emitted, returned };
  };
  assert.deepEqual(run('flatMap#1'), { emitted: [7, 8], returned: undefined });
  assert.deepEqual(run('flatMap#2'), { emitted: [7], returned: undefined });
  assert.deepEqual(run('flatMap#3'), { emitted: [7, -7], returned: undefined });
  assert.ok(run('flatMap#4').returned instanceof Promise);
});

test('mapAsync refuses options that make no sense', () => {
  for (const options of [
    { capacity: 0 },
    { timeoutMs: -1 },
    { onTimeout: 'drop' as const },
    { timeoutMs: 5, onTimeout: 'fallback' as const },
    { timeoutMs: 5, fallback: () => [] },
    { retry: { maxAttempts: 0, delayMs: 1 } },
    { retry: { maxAttempts: 2, delayMs: -1 } },
  ]) {
    assert.throws(
      () => graphOf((source) => source.mapAsync('call', async (n) => n, options)),
      InvalidOptionError,
      JSON.stringify(options),
    );
  }
});

test('settings are kept, and disableChaining is not softened by startNewChain', () => {
  const graph = graphOf((source) => {
    source.name('all numbers').parallelism(2).maxParallelism(16);
    const never = source.map((n) => n).disableChaining();
    never.startNewChain().to('out', out).startNewChain().parallelism(3);
  });
  const { name, parallelism, maxParallelism } = nodeOf(graph, 'numbers');
  assert.deepEqual([name, parallelism, maxParallelism], ['all numbers', 2, 16]);
  assert.equal(nodeOf(graph, 'map#1').chaining, 'never');
  assert.equal(nodeOf(graph, 'out').chaining, 'head');
  assert.equal(nodeOf(graph, 'out').parallelism, 3);
});

test('a state name that Millrace keeps for itself is refused', () => {
  assert.throws(
    () =>
      graphOf((source) => {
        const state = { 'timers/event': value(0) };
        source.keyBy((n) => n).process('bad', { state, onRecord() {} });
      }),
    /"timers\/event" cannot be the name of a state/,
  );
});
