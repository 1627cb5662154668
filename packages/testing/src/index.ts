// What users and the tests of this project import from `@millrace/testing`.
export {
  crashProgramEverywhere,
  type CrashProgramOptions,
  runSimulation,
  type SimulationOptions,
  type SimulationResult,
} from './environment/run-simulation.ts';
export { ManualClock } from './environment/manual-clock.ts';
export { SeededRandom } from './environment/seeded-random.ts';
export { SimulationStuckError } from './environment/simulation-errors.ts';
export { Trace } from './environment/trace.ts';
export { VirtualDisk } from './environment/virtual-disk.ts';
export {
  type LoggedMessage,
  VirtualEnvironment,
  type VirtualEnvironmentOptions,
} from './environment/virtual-environment.ts';
export {
  type FileCall,
  type FileFault,
  VirtualFileSystem,
} from './environment/virtual-file-system.ts';
export type { VirtualTimeOptions } from './environment/virtual-scheduler.ts';
export {
  active,
  clock,
  endOfInput,
  type HarnessInput,
  type HarnessOutput,
  idle,
  record,
  sideRecord,
  watermark,
} from './operator/harness-elements.ts';
export {
  type HarnessOptions,
  type HarnessSnapshot,
  type Inspection,
  OperatorHarness,
} from './operator/operator-harness.ts';
export {
  type Verification,
  VERIFY_MODES,
  type VerifyMode,
  verifyOperator,
  type VerifyOptions,
} from './operator/verify-operator.ts';
export {
  pause,
  type Script,
  type ScriptElement,
  scriptedSource,
  scriptedStream,
} from './source/scripted-stream.ts';
export { type BrokerBatch, BrokerClient } from './servers/broker-client.ts';
export {
  BrokerUnavailableError,
  ProducerFencedError,
  TransactionLostError,
  TransactionStateError,
} from './servers/broker-errors.ts';
export type {
  BrokerPartition,
  BrokerRecord,
  FetchedRecords,
  Isolation,
  TransactionResult,
} from './servers/broker-partition.ts';
export {
  type BrokerSourceOptions,
  type BrokerSplit,
  virtualBrokerSource,
} from './servers/broker-source.ts';
export {
  NO_FAULTS,
  type ServerFailure,
  type ServerFault,
  type ServerFaultRates,
} from './servers/server-faults.ts';
export type {
  ListedTransaction,
  ProducerIdentity,
  TransactionCoordinator,
  TransactionOutcome,
} from './servers/transaction-coordinator.ts';
export {
  type TransactionalSinkOptions,
  virtualTransactionalSink,
} from './servers/transactional-sink.ts';
export {
  type PlacedRecord,
  VirtualBroker,
  type VirtualBrokerOptions,
} from './servers/virtual-broker.ts';
export {
  VirtualObjectStore,
  type VirtualObjectStoreOptions,
} from './servers/virtual-object-store.ts';
export {
  type ServerCall,
  type ServerClient,
  type ServerRequest,
  VirtualServer,
  type VirtualServerOptions,
} from './servers/virtual-server.ts';
export { type CheckSinkOptions, checkSink, type SinkTarget } from './sinks/check-sink.ts';
export { remoteCall } from './sinks/remote-call.ts';
export {
  assertAtLeastOnce,
  assertExactlyOnce,
  type SinkFinding,
  type SinkReport,
  type SinkVerdict,
} from './sinks/sink-report.ts';
export { crashEverywhere, type CrashEverywhereOptions } from './user/crash-everywhere.ts';
export type { FaultKind } from './user/fault-kinds.ts';
export type { JobInput } from './user/job-input.ts';
export type { CollectingSink, JobOutput, OutputFile } from './user/job-output.ts';
export { simulate, type SimulateOptions, type SimulationSummary } from './user/simulate.ts';
export type { SimulatedJobOptions } from './user/simulated-job.ts';
