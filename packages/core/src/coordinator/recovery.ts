import { assert } from '../base/assert.ts';
import type { Environment } from '../base/environment.ts';
import { decodeManifest, type Manifest, MANIFEST_FORMAT_VERSION } from '../checkpoint/manifest.ts';
import { filesOf } from '../checkpoint/files-of.ts';
import { needsForeign, seenFrom, unclaimedRuns } from '../checkpoint/foreign-runs.ts';
import {
  ALIVE_PREFIX,
  aliveGenerationOf,
  foreignPath,
  MANIFEST_NAME,
  runOriginOf,
  runPath,
  SHARED_PREFIX,
} from '../checkpoint/paths.ts';
import { type CheckpointSlot, type LogState, latestOf } from '../checkpoint/slot-log.ts';
import type { CheckpointId } from '../element/element.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { StorageNotFoundError } from '../storage/storage-errors.ts';
import {
  RestoreBehindNewestError,
  SingleWriterRequiredError,
  SnapshotNotFoundError,
} from './coordinator-errors.ts';
import { type ClaimDecision, LogOwner, readLogOf } from './log-owner.ts';
import { type CompleteCheckpoint, readComplete } from './complete-checkpoints.ts';
import { readManifest, writeManifest } from './manifest-store.ts';
import { ForeignCopier } from './foreign-copier.ts';
import { RoutedStorage, routeForeign } from './routed-storage.ts';
import { withRetries } from './storage-retry.ts';
import { sweep } from './sweep.ts';

const STANDBY_POLL_MS = 1_000;
/** Four beats of `HEARTBEAT_MS`: one that is late is not dead. */
const STANDBY_SILENCE_MS = 20_000;
/** Between two signs of life of an owner. */
export const HEARTBEAT_MS = 5_000;

/** Where a job begins. */
export type RestoreFrom =
  /** The latest complete checkpoint of this job, if there is one. */
  | { readonly kind: 'latest' }
  /** Without state. */
  | { readonly kind: 'none' }
  /** What the user named; `restorePathOf` in checkpoint/paths.ts takes a path apart. */
  | {
      readonly kind: 'manifest';
      /** What the user wrote, for messages. */
      readonly path: string;
      /** Rooted at the directory that the manifest's names are relative to. */
      readonly storage: CheckpointStorage;
      /** That directory: `openDirectory` finds it again. */
      readonly directory: string;
      readonly manifest: string;
    };

/**
 * Whose a snapshot in another directory is after a restore. `no-claim`: it stays its owner's; the
 * job copies it while it runs. `claim`: the job's, which uses it in place and deletes what it does
 * not need any more; nobody else may be using it.
 */
export type RestoreMode = 'no-claim' | 'claim';

/** What a recovery needs. */
export interface RecoveryOptions {
  /** Rooted at the job's own directory. */
  readonly storage: CheckpointStorage;
  readonly environment: Environment;
  readonly jobName: string;
  readonly from: RestoreFrom;
  readonly restoreMode: RestoreMode;
  /** Opens a directory that a manifest names; the caller closes it in the end. */
  readonly openDirectory: (
    directory: string,
    purpose: 'read' | 'write',
  ) => Promise<CheckpointStorage>;
  /** Whether the job has sinks or state that must be exactly-once. */
  readonly needsExactlyOnce: boolean;
  readonly assumeSingleWriter: boolean;
  readonly allowDuplicates: boolean;
  readonly standby: boolean;
  /** With `standby`: called with the owner's generation when there is something to wait for. */
  readonly onStandby?: (generation: number) => void;
  /** Whether the job can be restored from it; throws if not. Called before the claim too. */
  readonly check: (manifest: Manifest) => void;
}

/** The job is ours, and this is what it goes on from. */
export interface Recovery {
  readonly owner: LogOwner;
  /** The job's storage with all other directories that its runs are in. */
  readonly storage: CheckpointStorage;
  /** Copies what the job runs on and does not own; null: it owns all. */
  readonly copier: ForeignCopier | null;
  readonly generation: number;
  readonly instanceId: string;
  /** null: begin without state. */
  readonly manifest: Manifest | null;
  /** What was restored, for messages; null if nothing was. */
  readonly restoredFrom: string | null;
  readonly nextCheckpointId: number;
  /** The newest checkpoint that this claim goes back behind, its output is out; null: none. */
  readonly leftBehind: CheckpointId | null;
  /** Complete checkpoints, in order of slot; the restored one is the last. */
  readonly complete: readonly CompleteCheckpoint[];
}

/**
 * Takes a job over and finds what it goes on from.
 *
 *   read log -> check -> claim a slot -> read again -> (import) -> sweep
 *
 * V1. Nothing that could have been known before the claim fails after it: a job that cannot be
 *     restored must not end the process that runs it.
 * V2. `latest` is the complete checkpoint with the greatest id. If it is damaged the error says so;
 *     another one is used only if the user names it.
 * V3. What is named and is not the newest of this job is imported: it becomes a complete
 *     checkpoint of a new instance of the job, so that the next `latest` finds it. Its runs stay
 *     where they are: the time that it takes does not depend on how many there are.
 * V5. A directory that is not claimed may go when the first checkpoint of the job is complete:
 *     that one needs only copies (`ForeignCopier`), and the import is deleted then.
 * V6. A snapshot that is claimed loses its manifest as soon as the import is complete: no second
 *     job can be restored from it.
 * V4. Naming something while this job has newer output needs `allowDuplicates`.
 *
 * @throws SingleWriterRequiredError, SnapshotNotFoundError, RestoreBehindNewestError,
 *   CorruptManifestError, CorruptLogError, UnsupportedManifestVersionError, and what `check` throws
 */
export async function recover(options: RecoveryOptions): Promise<Recovery> {
  const { storage, environment, jobName, from } = options;
  if (options.needsExactlyOnce && !storage.hasConditionalCreate && !options.assumeSingleWriter) {
    throw new SingleWriterRequiredError(
      `storage ${storage.location} cannot tell two owners of a job apart`,
      { location: storage.location },
      { hint: 'Use another storage, or vouch for a single process with --assume-single-writer.' },
    );
  }
  if (options.standby) await waitUntilGone(options);
  const named = from.kind === 'manifest' ? await readNamed(from, environment) : null;
  if (named !== null) options.check(named);
  if (from.kind === 'latest') await checkLatest(options);
  let leftBehind: CheckpointId | null = null;
  const owner = await LogOwner.claim({
    storage,
    environment,
    jobName,
    decide(log) {
      const newest = latestOf(log);
      const goesOn = from.kind === 'latest' || isNewest(named, newest);
      leftBehind = goesOn ? null : (newest?.checkpointId ?? null);
      return decide(options, log, named);
    },
  });
  const complete = await readComplete(storage, environment, owner.claimedLog);
  const routed = await routeForeign(
    storage,
    complete.map(({ manifest }) => manifest),
    ({ directory, isClaimed }) => options.openDirectory(directory, isClaimed ? 'write' : 'read'),
  );
  const newest = latestOf(owner.claimedLog);
  let recovery: Recovery = {
    owner,
    storage: routed,
    copier: null,
    generation: owner.generation,
    instanceId: owner.instanceId,
    manifest: null,
    restoredFrom: null,
    nextCheckpointId: owner.claimedLog.nextCheckpointId,
    leftBehind,
    complete,
  };
  if (named !== null && from.kind === 'manifest' && !isNewest(named, newest)) {
    recovery = await importNamed(options, recovery, named, from);
  } else if (newest !== null) {
    const manifest = await readManifest(storage, environment, newest); // V2
    options.check(manifest);
    recovery = { ...recovery, manifest, restoredFrom: newest.manifest };
  }
  await forgetHeartbeats(storage, environment);
  await removeLeftovers(storage, environment);
  await sweep(storage, environment, owner, recovery.complete, isOwn(owner));
  await tidyClaimed(recovery, environment);
  return { ...recovery, copier: copierOf(recovery, environment) };
}

// Garbage that costs space only: the next claim tries again.
async function removeLeftovers(
  storage: CheckpointStorage,
  environment: Environment,
): Promise<void> {
  try {
    await storage.removeLeftovers?.();
  } catch (error) {
    environment.logger.log('warn', 'could not remove what dead writers left', { error });
  }
}

function decide(
  { environment, from, allowDuplicates }: RecoveryOptions,
  log: LogState,
  named: Manifest | null,
): ClaimDecision {
  const newest = latestOf(log);
  const fresh = (isFresh: boolean) => ({ instanceId: environment.random.hex(8), isFresh });
  if (from.kind === 'none') return fresh(true);
  if (from.kind === 'latest' || isNewest(named, newest)) {
    return log.claim === null
      ? fresh(false)
      : { instanceId: newest?.instanceId ?? log.claim.instanceId, isFresh: false };
  }
  if (newest !== null && !allowDuplicates) {
    throw new RestoreBehindNewestError(
      `"${from.path}" is not the newest checkpoint of the job: ` +
        `output up to checkpoint ${newest.checkpointId} is already out`,
      {
        from: from.path,
        checkpointId: named!.checkpointId,
        newestCheckpointId: newest.checkpointId,
      },
      { hint: 'Leave --from out to go on, or accept output twice with --allow-duplicates.' },
    );
  }
  return fresh(false);
}

function isNewest(named: Manifest | null, newest: CheckpointSlot | null): boolean {
  return (
    named !== null &&
    newest !== null &&
    named.jobName === newest.jobName &&
    named.instanceId === newest.instanceId &&
    named.checkpointId === newest.checkpointId
  );
}

async function readNamed(
  from: Extract<RestoreFrom, { kind: 'manifest' }>,
  environment: Environment,
): Promise<Manifest> {
  const read = withRetries(environment, 5, () => from.storage.get(from.manifest));
  const bytes = await read.catch((cause: unknown) => {
    if (!(cause instanceof StorageNotFoundError)) throw cause;
    throw new SnapshotNotFoundError(
      `there is no checkpoint or savepoint in ${from.path}`,
      { path: from.path },
      { cause, hint: 'Name a checkpoint (.../chk-7), a savepoint or a manifest file.' },
    );
  });
  return decodeManifest(bytes, from.path);
}

// V1. While the owner still runs, what the log names may be replaced and deleted before it is read:
// then the log has gone on, and is read again.
async function checkLatest(options: RecoveryOptions): Promise<void> {
  const { storage, environment, check } = options;
  const readNewest = async () => latestOf((await readLogOf(storage, environment)).log);
  for (let newest = await readNewest(); newest !== null; ) {
    try {
      const manifest = await readManifest(storage, environment, newest);
      return check(manifest);
    } catch (error) {
      const now = await readNewest();
      if (now?.checkpointId === newest.checkpointId) throw error;
      newest = now;
    }
  }
}

function isOwn({ generation }: LogOwner): (name: string) => boolean {
  return (name) => runOriginOf(name)?.generation === generation;
}

// V3.
async function importNamed(
  { storage, environment, jobName, restoreMode, openDirectory }: RecoveryOptions,
  recovery: Recovery,
  named: Manifest,
  from: Extract<RestoreFrom, { kind: 'manifest' }>,
): Promise<Recovery> {
  const { owner, nextCheckpointId: checkpointId } = recovery;
  const isOwn = from.storage === storage || from.storage.location === storage.location;
  const isClaimed = restoreMode === 'claim';
  const { directory, manifest: manifestName } = from;
  const { figures: _, ...seen } = isOwn
    ? named
    : seenFrom(named, String(owner.generation), {
        directory,
        manifest: manifestName,
        isClaimed,
      });
  const manifest: Manifest = {
    ...seen,
    formatVersion: MANIFEST_FORMAT_VERSION,
    jobName,
    instanceId: owner.instanceId,
    generation: owner.generation,
    checkpointId,
    kind: 'checkpoint',
  };
  const others = [...recovery.complete.map((complete) => complete.manifest), manifest];
  const routed = await routeForeign(storage, others, async (one) => {
    if (one.directory === directory && !one.isClaimed) return from.storage;
    return openDirectory(one.directory, one.isClaimed ? 'write' : 'read');
  });
  const written = await writeManifest(storage, environment, manifest);
  const { sequence, slot } = await owner.complete({
    checkpointId,
    snapshotKind: 'checkpoint',
    isStop: false,
    ...written,
  });
  return {
    ...recovery,
    storage: routed,
    manifest,
    restoredFrom: from.path,
    nextCheckpointId: checkpointId + 1,
    complete: [...recovery.complete, { sequence, slot, manifest }],
  };
}

// V5.
function copierOf(
  { manifest, storage, generation }: Recovery,
  environment: Environment,
): ForeignCopier | null {
  if (manifest === null || !needsForeign(manifest)) return null;
  assert(storage instanceof RoutedStorage, 'what is in other directories has been opened');
  let number = 0;
  return new ForeignCopier({
    environment,
    storage,
    runs: unclaimedRuns(manifest),
    nextName: () => runPath(generation, 0, 'import', ++number),
  });
}

// V6, and what a process that died had not deleted yet. A savepoint's directory is the job's as a
// whole; of another job's checkpoint it has only what the manifest named. Garbage that costs space
// only: the next claim tries again.
async function tidyClaimed(
  { complete, storage }: Recovery,
  environment: Environment,
): Promise<void> {
  const needed = new Set<string>();
  const claimed = new Map<string, string>();
  for (const { manifest } of complete) {
    if (manifest === null) return; // nobody knows what it needs
    for (const name of filesOf(manifest).keys()) needed.add(name);
    for (const [key, directory] of Object.entries(manifest.foreign ?? {})) {
      if (directory.isClaimed) claimed.set(key, directory.manifest);
    }
  }
  try {
    for (const [key, manifest] of claimed) {
      const runs =
        manifest === MANIFEST_NAME ? await storage.list(foreignPath(key, SHARED_PREFIX)) : [];
      const useless = runs.map(({ name }) => name).filter((name) => !needed.has(name));
      await storage.deleteAll([foreignPath(key, manifest), ...useless]);
    }
  } catch (error) {
    environment.logger.log('warn', 'could not tidy up a snapshot that was claimed', { error });
  }
}

async function waitUntilGone(options: RecoveryOptions): Promise<void> {
  const { storage, environment } = options;
  let lastSeen = '';
  let sinceMs = environment.clock.monotonicMs();
  for (;;) {
    const alive = await withRetries(environment, 5, () => storage.list(ALIVE_PREFIX));
    const sign = alive.at(-1)?.name ?? '';
    const nowMs = environment.clock.monotonicMs();
    if (sign === '' || (sign === lastSeen && nowMs - sinceMs >= STANDBY_SILENCE_MS)) return;
    if (lastSeen === '') options.onStandby?.(aliveGenerationOf(sign) ?? 0);
    if (sign !== lastSeen) sinceMs = nowMs;
    lastSeen = sign;
    await new Promise<void>((resolve) => {
      environment.scheduler.after(STANDBY_POLL_MS, resolve);
    });
  }
}

// Of earlier owners; this one has not shown itself yet.
async function forgetHeartbeats(
  storage: CheckpointStorage,
  environment: Environment,
): Promise<void> {
  try {
    for (const { name } of await storage.list(ALIVE_PREFIX)) await storage.delete(name);
  } catch (error) {
    environment.logger.log('debug', 'could not delete old heartbeats', { error });
  }
}
