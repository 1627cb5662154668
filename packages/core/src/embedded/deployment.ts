import type { Environment } from '../base/environment.ts';
import type { CheckpointMode } from '../element/element.ts';
import type { JobEdge, JobGraph, JobVertex } from '../graph/job-graph.ts';
import { type SubtaskId, subtaskId } from '../protocol/messages.ts';
import type { MemoryBudget } from '../state/memory-budget.ts';
import type { RunStore } from '../state/run-store.ts';
import { keyGroupRangeOf } from '../element/key-group.ts';
import { LocalChannel } from '../task/channel/channel.ts';
import { type GateChannel, InputGate } from '../task/channel/input-gate.ts';
import { type ChannelObserver, ObservedChannel } from '../task/channel/observed-channel.ts';
import { Task } from '../task/task.ts';
import type {
  RestoredOperator,
  TaskIdentity,
  TaskOutput,
  TaskSettings,
} from '../task/task-host.ts';
import { type RunnerEvents, TaskRunner, type TurnLimits } from './task-runner.ts';

/** What all tasks of an attempt are made from. */
export interface DeploymentOptions {
  readonly graph: JobGraph;
  readonly identity: TaskIdentity;
  readonly environment: Environment;
  readonly runStore: RunStore;
  readonly memory: MemoryBudget;
  readonly mode: CheckpointMode;
  readonly settings: TaskSettings;
  readonly limits: TurnLimits;
  /** Batches in flight per channel. */
  readonly channelCapacity: number;
  /** null: nobody watches. */
  readonly observeChannel: ChannelObserver | null;
  readonly events: RunnerEvents;
  requestSplits(operatorUid: string, subtaskIndex: number): void;
  /** State of one subtask by operator uid; null: the job starts fresh. */
  restoredFor(vertex: JobVertex, index: number): ReadonlyMap<string, RestoredOperator> | null;
}

/** A subtask in place. */
export interface DeployedTask {
  readonly id: SubtaskId;
  readonly vertex: JobVertex;
  readonly subtaskIndex: number;
  readonly task: Task;
  readonly runner: TaskRunner;
}

interface Connection {
  readonly edge: JobEdge;
  /** By sending subtask: the channels it writes to, in order of the receiving subtask. */
  readonly bySender: readonly (readonly {
    readonly to: number;
    readonly channel: LocalChannel;
  }[])[];
}

/** Makes all tasks of a graph and the channels between them. Nothing is opened or started. */
export function deploy(options: DeploymentOptions): DeployedTask[] {
  const { graph } = options;
  const vertices = new Map(graph.vertices.map((vertex) => [vertex.id, vertex]));
  const connections = graph.edges.map((edge) =>
    connect(
      edge,
      vertices.get(edge.fromVertex)!.parallelism,
      vertices.get(edge.toVertex)!.parallelism,
      channelMaker(edge, vertices.get(edge.toVertex)!, options),
    ),
  );
  return graph.vertices.flatMap((vertex) =>
    Array.from({ length: vertex.parallelism }, (_, index) =>
      deployTask(vertex, index, connections, vertices, options),
    ),
  );
}

function deployTask(
  vertex: JobVertex,
  subtaskIndex: number,
  connections: readonly Connection[],
  vertices: ReadonlyMap<string, JobVertex>,
  options: DeploymentOptions,
): DeployedTask {
  const { environment, identity } = options;
  const id = subtaskId(vertex.id, subtaskIndex);
  const outputs: TaskOutput[] = connections
    .filter(({ edge }) => edge.fromVertex === vertex.id)
    .map(({ edge, bySender }) => ({
      edge: edge.edge,
      channels: bySender[subtaskIndex]!.map(({ channel }) => channel),
      maxParallelism: vertices.get(edge.toVertex)!.maxParallelism,
    }));
  const task = new Task({
    vertex,
    subtaskIndex,
    identity,
    environment,
    outputs,
    runStore: options.runStore,
    memory: options.memory,
    restored: options.restoredFor(vertex, subtaskIndex),
    settings: options.settings,
    host: {
      requestTurn: () => runner.requestTurn(),
      fail: (error) => options.events.onFailure(error),
      turnIsOver: () => runner.turnIsOver(),
      requestSplits: (uid) => options.requestSplits(uid, subtaskIndex),
    },
  });
  const incoming = incomingChannels(vertex, subtaskIndex, connections);
  const gate =
    incoming.length === 0
      ? null
      : new InputGate(incoming, options.mode, identity.attempt, environment.clock);
  const runner: TaskRunner = new TaskRunner({
    subtask: id,
    task,
    gate,
    environment,
    limits: options.limits,
    events: options.events,
  });
  for (const { channel } of incoming) channel.onAvailable = () => runner.requestTurn();
  for (const { edge, bySender } of connections) {
    if (edge.fromVertex !== vertex.id) continue;
    for (const { channel } of bySender[subtaskIndex]!) {
      channel.onSpace = () => runner.requestTurn();
    }
  }
  return { id, vertex, subtaskIndex, task, runner };
}

function incomingChannels(
  vertex: JobVertex,
  subtaskIndex: number,
  connections: readonly Connection[],
): GateChannel[] {
  return connections
    .filter(({ edge }) => edge.toVertex === vertex.id)
    .flatMap(({ edge, bySender }) =>
      bySender
        .flat()
        .filter(({ to }) => to === subtaskIndex)
        .map(({ channel }) => ({ input: edge.edge.input, channel })),
    );
}

type MakeChannel = (from: number, to: number) => LocalChannel;

function channelMaker(edge: JobEdge, target: JobVertex, options: DeploymentOptions): MakeChannel {
  const { channelCapacity, observeChannel, identity } = options;
  if (observeChannel === null) return () => new LocalChannel(channelCapacity);
  const { maxParallelism, parallelism } = target;
  const isKeyed = edge.edge.partitioning.kind === 'hash';
  return (from, to) => {
    const observe = observeChannel({
      attempt: identity.attempt,
      from: subtaskId(edge.fromVertex, from),
      to: subtaskId(edge.toVertex, to),
      input: edge.edge.input,
      keyGroups: isKeyed ? keyGroupRangeOf(to, maxParallelism, parallelism) : null,
    });
    return new ObservedChannel(channelCapacity, observe);
  };
}

function connect(
  edge: JobEdge,
  senders: number,
  receivers: number,
  makeChannel: MakeChannel,
): Connection {
  return {
    edge,
    bySender: Array.from({ length: senders }, (_, from) =>
      targetsOf(edge, from, senders, receivers).map((to) => ({
        to,
        channel: makeChannel(from, to),
      })),
    ),
  };
}

/** Which subtasks downstream a subtask sends to. */
function targetsOf(edge: JobEdge, from: number, senders: number, receivers: number): number[] {
  const all = Array.from({ length: receivers }, (_, to) => to);
  switch (edge.edge.partitioning.kind) {
    case 'forward':
      return [from];
    case 'rescale': {
      // As in Flink: every subtask has its own share of the others, as evenly as possible.
      if (receivers <= senders) return [Math.floor((from * receivers) / senders)];
      const first = Math.floor((from * receivers) / senders);
      return all.slice(first, Math.floor(((from + 1) * receivers) / senders));
    }
    default:
      return all;
  }
}
