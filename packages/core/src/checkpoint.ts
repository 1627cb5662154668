// The sub-path `@millrace/core/checkpoint`: what tools need to look at checkpoints and savepoints
// of jobs that they do not run.
export { changeText, noteworthyChanges } from './checkpoint/change-text.ts';
export { describeManifest } from './checkpoint/describe.ts';
export {
  explainFiles,
  type FileVerdict,
  filesOf,
  inlineBytesOf,
  runsOf,
  sizeBytesOf,
} from './checkpoint/files-of.ts';
export {
  type CheckpointFigures,
  decodeManifest,
  type Manifest,
  type OperatorManifest,
  type SubtaskManifest,
} from './checkpoint/manifest.ts';
export { MANIFEST_NAME, type RestorePath, restorePathOf } from './checkpoint/paths.ts';
export { type StateChange, storedTables } from './checkpoint/state-changes.ts';
export type { Json } from './codec/json.ts';
export { fromTaggedJson, toTaggedJson } from './codec/tagged-json.ts';
export { placeBelow, schemeOf, splitPlace } from './checkpoint/place-address.ts';
export { type CheckpointSlot, latestOf, type LogState } from './checkpoint/slot-log.ts';
export { type CollectedGarbage, collectGarbage } from './coordinator/collect-garbage.ts';
export { type CompleteCheckpoint, readComplete } from './coordinator/complete-checkpoints.ts';
export { LogOwner, readLogOf } from './coordinator/log-owner.ts';
export { readManifest } from './coordinator/manifest-store.ts';
export { routeForeign } from './coordinator/routed-storage.ts';
export { type VerificationReport, verifyCheckpoint } from './coordinator/verify-checkpoint.ts';
export { checkpointRunSource } from './inspection/checkpoint-run-source.ts';
export { type DumpedEntry, type DumpOptions, dumpTable } from './inspection/dump-table.ts';
export { explainList, explainTable } from './inspection/explain-state.ts';
export type { RunSource } from './inspection/open-run.ts';
export { type OperatorFacts, readTableFacts, type TableFacts } from './inspection/table-facts.ts';
export type { Damage } from './inspection/verify-run.ts';
export { type SnapshotVerification, verifySnapshot } from './inspection/verify-snapshot.ts';
export { type RestorePlanOptions, planRestoreOf } from './embedded/plan-restore.ts';
export { type Key, keyIdentity } from './element/key.ts';
export { nodeEnvironment } from './embedded/node-environment.ts';
export { type StoragePurpose, storageOf } from './embedded/storage-of.ts';
export { inspectRun, type InspectedEntry } from './state/run-inspection.ts';
export type { RunStore } from './state/run-store.ts';
export type { RunReference } from './state/snapshot.ts';
export type { CheckpointStorage, StoredObject } from './storage/checkpoint-storage.ts';
