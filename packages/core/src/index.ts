// What users of Millrace import (through the package `millrace`, which re-exports all of this).
// Sources and sinks are written against `@millrace/core/connector`.

// Jobs and streams
export { job } from './api/job.ts';
export { Flow, SourceStream } from './api/flow.ts';
export {
  DataStream,
  type ElementOf,
  OperatorStream,
  WindowResultStream,
} from './api/data-stream.ts';
export { KeyedStream } from './api/keyed-stream.ts';
export { WindowedStream } from './api/windowed-stream.ts';
export { ConnectedStreams } from './api/connected-streams.ts';
export { BroadcastStream } from './api/broadcast-stream.ts';
export {
  BroadcastConnectedStreams,
  KeyedBroadcastConnectedStreams,
} from './api/broadcast-connected-streams.ts';
export {
  IntervalJoinedStreams,
  type IntervalJoinOptions,
  WindowJoinedStreams,
} from './api/joined-streams.ts';
export { SinkHandle } from './api/sink-handle.ts';
export type { Emit, FlatMapFunction } from './api/flat-map.ts';
export type { EventTimeOptions } from './api/event-time.ts';
export type { JobDefinition, JobParameters } from './graph/job-definition.ts';

// What functions are made of
export {
  type AsyncFunction,
  type AsyncFunctionOptions,
  type AsyncRetryOptions,
  type BroadcastDescriptor,
  broadcastMap,
  type BroadcastProcessFunction,
  type Emitter,
  type FunctionContext,
  type KeyedBroadcastProcessFunction,
  type KeyedContext,
  type KeyedCoProcessFunction,
  type KeyedProcessFunction,
  operatorList,
  type OperatorListDescriptor,
  type OperatorStateHandles,
  type OperatorStates,
  type ProcessContext,
  type ProcessFunction,
  sideOutput,
  type SideOutputTag,
  type TimerContext,
  type Timers,
  type TypeHint,
  type,
} from './function/process-function.ts';
export type {
  CoGroupFunction,
  IntervalJoinFunction,
  JoinContext,
  JoinInterval,
} from './function/join-function.ts';
export type { Key, ScalarKey } from './element/key.ts';

// State
export {
  type AggregateFunction,
  aggregating,
  type AggregatingState,
  type DeepReadonly,
  list,
  type ListState,
  map,
  type MapState,
  reducing,
  type ReducingState,
  type StateDescriptor,
  type StateDescriptors,
  type StateHandles,
  type StateOptions,
  type TtlOptions,
  value,
  type ValueState,
} from './state/descriptors.ts';
export type {
  BroadcastState,
  OperatorListState,
  ReadonlyBroadcastState,
} from './state/operator-state.ts';

// Time and windows
export { days, hours, minutes, seconds } from './element/time.ts';
export {
  boundedOutOfOrderness,
  custom as customWatermarks,
  monotonic,
  punctuated,
  type WatermarkSettings,
} from './function/watermark-strategies.ts';
export type {
  WatermarkAlignment,
  WatermarkGenerator,
  WatermarkStrategy,
} from './function/watermark-strategy.ts';
export {
  type AlignedWindowOptions,
  type CountWindow,
  countWindow,
  dynamicSession,
  globalWindow,
  session,
  type SessionWindowOptions,
  sliding,
  tumbling,
  type WindowDefinition,
} from './function/window-assigners.ts';
export { type TimeoutTriggerOptions, triggers } from './function/triggers.ts';
export { evictors, type EvictorOptions } from './function/evictors.ts';
export type {
  Evictor,
  TimeDomain,
  Trigger,
  TriggerContext,
  TriggerResult,
  Window,
  WindowAssigner,
  WindowContext,
  WindowElement,
  WindowFunction,
  WindowResult,
} from './function/window.ts';

// Sources and sinks, as they are used; to write one see `@millrace/core/connector`
export type { DeadLetter, Source } from './function/source.ts';
export type { Sink } from './function/sink.ts';

// Plans
export { planJob, type PlanSizes } from './graph/planner.ts';
export { type JobPlan, planOf } from './graph/plan.ts';
export { planText } from './graph/plan-text.ts';

// Errors
export { type ErrorDomain, type RetryHint, StreamError } from './base/errors.ts';
export {
  DuplicateUidError,
  InvalidJobError,
  NonDeterministicJobError,
} from './graph/job-errors.ts';
export { InvalidOptionError } from './base/invalid-option-error.ts';
export { InvalidWindowError } from './function/window-arguments.ts';
export { InvalidKeyError } from './element/key.ts';

// Running a job: the only place where the API and a host meet.
export { run } from './embedded/run.ts';
export type { RunOptions, TuningOptions } from './embedded/run-options.ts';
export type { StateChange } from './checkpoint/state-changes.ts';
export type { CheckpointFigures } from './checkpoint/manifest.ts';
export type { CompletedCheckpoint } from './coordinator/completed-checkpoint.ts';
export type { RestoreMode } from './coordinator/recovery.ts';
export type {
  JobEvent,
  JobExecution,
  JobResult,
  JobStatus,
  OperatorMetrics,
} from './embedded/job-execution.ts';
export {
  JobNotRunningError,
  StorageDriverMissingError,
  UnsupportedStorageError,
} from './embedded/job-errors.ts';
export type { MemoryOptions } from './config/memory-options.ts';
export type { CheckpointOptions, CheckpointRetention } from './config/checkpoint-options.ts';
export type { RestartStrategy } from './config/restart-strategy.ts';
export {
  CheckpointAbortedError,
  JobFencedError,
  RestoreBehindNewestError,
} from './coordinator/coordinator-errors.ts';
export { UserFunctionError } from './task/user-function-error.ts';
export { AsyncTimeoutError } from './task/operator/map-async.ts';
export { EndlessTimersError, InvalidTimerError } from './task/timer/open-timer-service.ts';
export { InvalidTimestampError } from './task/source/assign-timestamp.ts';
