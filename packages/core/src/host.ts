// The sub-path `@millrace/core/host`: what a host needs to drive tasks, and what tests of operators
// need to stand in for one. The embedded host, the simulator and the Flink runner live on this.
export type {
  BackgroundExecutor,
  BackgroundJob,
  Cancel,
  Clock,
  Environment,
  Logger,
  LogLevel,
  Random,
  Scheduler,
} from './base/environment.ts';
export { StreamError } from './base/errors.ts';
export {
  type DirectoryEntry,
  type FileErrorKind,
  type FileStat,
  type FileSystem,
  FileSystemError,
  type ReadableFile,
  type WritableFile,
} from './base/file-system.ts';
export { redistribute } from './checkpoint/redistribute.ts';
export { fromTaggedJson, toTaggedJson } from './codec/tagged-json.ts';
export type { SnapshotKind, StreamElement } from './element/element.ts';
export type { Key } from './element/key.ts';
export {
  DEFAULT_MAX_PARALLELISM,
  keyGroupOf,
  type KeyGroupRange,
  keyGroupRangeOf,
  subtaskOf,
} from './element/key-group.ts';
export { readableAtOnce } from './embedded/readable-at-once.ts';
export { MAX_WATERMARK, MIN_WATERMARK, NO_TIMESTAMP } from './element/time.ts';
export { MetricGroup } from './metrics/registry.ts';
export type { StateDescriptors, StateHandles } from './state/descriptors.ts';
export type { Entry, EntryTable, EntryTableSpec, SubKey } from './state/entry-table.ts';
export type { FrozenState, KeyedStateStore } from './state/keyed-state-store.ts';
export { MemoryBudget } from './state/memory-budget.ts';
export { openKeyedStateStore } from './state/open-keyed-state-store.ts';
export { openOperatorStateStore } from './state/open-operator-state-store.ts';
export type { OperatorStateStore } from './state/operator-state.ts';
export { readRestoredRuns } from './state/restored-runs.ts';
export type { EncodedRun, RunStore } from './state/run-store.ts';
export type {
  Json,
  KeyedStateSnapshot,
  OperatorListSnapshot,
  OperatorSnapshot,
  RunReference,
} from './state/snapshot.ts';
export type { ChannelInfo, ChannelObserver } from './task/channel/observed-channel.ts';
export { createOperator } from './task/operator/create-operator.ts';
export type { Operator, OperatorContext, Output } from './task/operator/operator.ts';
export { type CombinedChange, CombinedWatermark } from './task/barrier/combined-watermark.ts';
