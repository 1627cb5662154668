import type { JobDefinition } from '@millrace/core';
import type { CommitOutcome, Committer, Sink, SinkContext } from '@millrace/core/connector';

type StreamGraph = ReturnType<JobDefinition['build']>;
type StreamNode = StreamGraph['nodes'][number];
type AnySink = Sink<unknown>;

/** Where a campaign looks into a job, and where it lets things go wrong. */
export interface JobHooks {
  /** Before each call of a user's function that the graph shows; may throw. */
  userCode(): void;
  /** Before commits are tried. */
  onCommit(operatorUid: string, committables: readonly unknown[]): void;
  /** What goes wrong with a commit: nothing, a refusal, or a lost answer. */
  commitFault(): 'none' | 'later' | 'lost-before' | 'lost-after';
  /** A sink's writer is full for so many milliseconds; 0: it is not. */
  sinkDelayMs(): number;
}

/** The same job, with hooks around its sinks, key selectors and simple functions. */
export function instrumentJob(job: JobDefinition, hooks: JobHooks): JobDefinition {
  return {
    name: job.name,
    build(parameters) {
      const graph = job.build(parameters);
      return {
        ...graph,
        nodes: graph.nodes.map((node) => instrumentNode(node, hooks)),
        edges: graph.edges.map((edge) => {
          const { partitioning } = edge;
          if (partitioning.kind !== 'hash') return edge;
          const keyOf = called(partitioning.keyOf, hooks);
          return { ...edge, partitioning: { ...partitioning, keyOf } };
        }),
      };
    },
  };
}

function instrumentNode(node: StreamNode, hooks: JobHooks): StreamNode {
  const { spec } = node;
  switch (spec.kind) {
    case 'sink':
      return { ...node, spec: { kind: 'sink', sink: watched(spec.sink, hooks) } };
    case 'map':
      return { ...node, spec: { kind: 'map', map: called(spec.map, hooks) } };
    case 'filter':
      return { ...node, spec: { kind: 'filter', filter: called(spec.filter, hooks) } };
    case 'process':
      return { ...node, spec: { ...spec, process: calledMethods(spec.process, hooks) } };
    case 'keyedProcess':
      return { ...node, spec: { ...spec, process: calledMethods(spec.process, hooks) } };
    case 'keyedCoProcess':
      return { ...node, spec: { ...spec, process: calledMethods(spec.process, hooks) } };
    case 'keyedBroadcastProcess':
      return { ...node, spec: { ...spec, process: calledMethods(spec.process, hooks) } };
    default:
      return node;
  }
}

const METHODS = ['onRecord', 'onRecord1', 'onRecord2', 'onBroadcast', 'onTimer'] as const;

// Afterwards as well: then the function has changed state already, and has emitted.
function calledMethods<T extends object>(target: T, hooks: JobHooks): T {
  const wrapped: T = Object.create(target);
  for (const name of METHODS) {
    const method: unknown = Reflect.get(target, name);
    if (typeof method !== 'function') continue;
    const call = (...args: unknown[]): unknown => {
      hooks.userCode();
      const result: unknown = method.apply(target, args);
      hooks.userCode();
      return result;
    };
    Reflect.set(wrapped, name, call);
  }
  return wrapped;
}

function called<R>(call: (value: unknown) => R, hooks: JobHooks): (value: unknown) => R {
  return (value) => {
    hooks.userCode();
    return call(value);
  };
}

function watched(sink: AnySink, hooks: JobHooks): AnySink {
  const { createCommitter, recover } = sink;
  return {
    name: sink.name,
    delivery: sink.delivery,
    createWriter: (context, restored) => watchedWriter(sink, hooks, context, restored),
    ...(createCommitter === undefined
      ? {}
      : {
          createCommitter: (context: SinkContext) =>
            watchedCommitter(createCommitter.call(sink, context), hooks, context),
        }),
    ...(recover === undefined ? {} : { recover: recover.bind(sink) }),
  };
}

function watchedWriter(
  sink: AnySink,
  hooks: JobHooks,
  context: SinkContext,
  restored: readonly unknown[],
): ReturnType<AnySink['createWriter']> {
  const writer = sink.createWriter(context, restored);
  const { onTick, endInput } = writer;
  return {
    write(value, timestampMs) {
      hooks.userCode();
      writer.write(value, timestampMs);
    },
    ready() {
      const delayMs = hooks.sinkDelayMs();
      if (delayMs === 0) return writer.ready();
      return new Promise((resolve) => context.environment.scheduler.after(delayMs, resolve));
    },
    prepareCommit: (checkpointId) => writer.prepareCommit(checkpointId),
    ...(onTick === undefined ? {} : { onTick: onTick.bind(writer) }),
    ...(endInput === undefined ? {} : { endInput: endInput.bind(writer) }),
    close: () => writer.close(),
  };
}

function watchedCommitter(
  committer: Committer<unknown>,
  hooks: JobHooks,
  context: SinkContext,
): Committer<unknown> {
  return {
    async commit(committables) {
      hooks.onCommit(context.operatorUid, committables);
      const fault = hooks.commitFault();
      if (fault === 'lost-before') throw new Error('injected: the commit did not arrive');
      if (fault === 'later') {
        return committables.map((): CommitOutcome => ({ kind: 'retryLater', reason: 'injected' }));
      }
      const outcomes = await committer.commit(committables);
      if (fault === 'lost-after') throw new Error('injected: the answer of the commit is lost');
      return outcomes;
    },
    close: () => committer.close(),
  };
}
