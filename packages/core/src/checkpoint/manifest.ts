import type { CheckpointId, SnapshotKind } from '../element/element.ts';
import type { SubtaskId } from '../protocol/messages.ts';
import type {
  Json,
  KeyedStateSnapshot,
  OperatorListSnapshot,
  SubtaskSnapshot,
} from '../state/snapshot.ts';
import { decodeCheckedJson, encodeCheckedJson } from './checked-json.ts';
import { CorruptManifestError, UnsupportedManifestVersionError } from './checkpoint-errors.ts';
import { mapRuns } from './map-runs.ts';

/**
 * Raised only together with stored examples in test/formats that must restore for ever.
 *
 * - 1: every run is in an object.
 * - 2: runs may stand in the manifest (`inlineRuns`, by name, in base64) or in other directories
 *   (`foreign`); `figures`; references may tell `entryBytes` and `isMerged`.
 */
export const MANIFEST_FORMAT_VERSION = 2;

/**
 * Everything that a checkpoint or savepoint is. Names of runs are relative to the directory that
 * the manifest's own name is relative to: the job's, or the savepoint's.
 *
 * As stored it is the same, but for the bytes of runs that stand in it: there they are a member of
 * their own, so that each stands in it once, and people can read the rest.
 */
export interface Manifest {
  /** Of what it was read from; what is written has the newest one. */
  readonly formatVersion: number;
  readonly jobName: string;
  /** A fork of a job has another one; part of names of output. */
  readonly instanceId: string;
  /** Of the owner that wrote it. */
  readonly generation: number;
  readonly checkpointId: CheckpointId;
  readonly kind: SnapshotKind;
  /** Wall clock. */
  readonly triggeredAtMs: number;
  readonly completedAtMs: number;
  /** Of the job graph's structure. */
  readonly fingerprint: string;
  /** By uid. */
  readonly operators: Readonly<Record<string, OperatorManifest>>;
  /** State of the enumerators (tagged JSON), by uid of the source. */
  readonly enumerators: Readonly<Record<string, Json>>;
  /**
   * Other directories that runs of it are in, by key: a run `foreign/<key>/<name>` is in `name`
   * there. Left out if there are none.
   */
  readonly foreign?: Readonly<Record<string, ForeignDirectory>>;
  /** What it cost; version 1 did not tell, and an import has cost nothing yet. */
  readonly figures?: CheckpointFigures;
}

/** Another directory that a job was restored from. */
export interface ForeignDirectory {
  /** Absolute path or URL of the directory that names are relative to. */
  readonly directory: string;
  /** The manifest's name in it. */
  readonly manifest: string;
  /** The job owns it, and deletes what it does not need any more. */
  readonly isClaimed: boolean;
}

/** What a checkpoint cost. Bytes; a run counts in the first checkpoint that names it. */
export interface CheckpointFigures {
  /** Keys and bodies of the entries changed, before compression. */
  readonly changedBytes: number;
  /** Of the runs that hold them, as stored. */
  readonly writtenBytes: number;
  /** Of runs that hold nothing new: older ones merged. As stored. */
  readonly mergedBytes: number;
  /** Of all these runs: those that stand in the manifest. As stored. */
  readonly inlineBytes: number;
  /** New objects with runs. */
  readonly files: number;
  /** The longest time that one of them took until it was durable. */
  readonly uploadMs: number;
}

/** One operator in a checkpoint. */
export interface OperatorManifest {
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** By subtask index; `parallelism` of them. */
  readonly subtasks: readonly SubtaskManifest[];
}

/** One operator subtask in a checkpoint. */
export interface SubtaskManifest {
  /** Its input had ended and was handled. */
  readonly finished: boolean;
  readonly keyed: KeyedStateSnapshot | null;
  readonly lists: readonly OperatorListSnapshot[];
}

/** What the acknowledgements do not say. */
export type ManifestHeader = Omit<Manifest, 'formatVersion' | 'operators'> & {
  /** Parallelism of all operators, by uid. */
  readonly operators: Readonly<
    Record<string, { readonly parallelism: number; readonly maxParallelism: number }>
  >;
};

type StoredManifest = Manifest & { readonly inlineRuns?: Readonly<Record<string, string>> };

const NO_STATE: SubtaskManifest = { finished: false, keyed: null, lists: [] };

/** Puts the manifest of a checkpoint together from what all subtasks acknowledged. */
export function manifestOf(
  header: ManifestHeader,
  acknowledged: ReadonlyMap<SubtaskId, SubtaskSnapshot>,
): Manifest {
  const subtasks = new Map<string, SubtaskManifest[]>();
  for (const [uid, { parallelism }] of Object.entries(header.operators)) {
    subtasks.set(uid, new Array(parallelism).fill(NO_STATE));
  }
  for (const [subtask, snapshot] of acknowledged) {
    const index = Number(subtask.slice(subtask.lastIndexOf('#') + 1));
    for (const [uid, { keyed, lists }] of Object.entries(snapshot.operators)) {
      const ofOperator = subtasks.get(uid);
      if (ofOperator !== undefined)
        ofOperator[index] = { finished: snapshot.finished, keyed, lists };
    }
  }
  const operators = Object.entries(header.operators).map(
    ([uid, parallel]) => [uid, { ...parallel, subtasks: subtasks.get(uid)! }] as const,
  );
  return {
    ...header,
    formatVersion: MANIFEST_FORMAT_VERSION,
    operators: Object.fromEntries(operators),
  };
}

/** @returns readable JSON with a checksum of itself, of the newest format version */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const inlineRuns: Record<string, string> = {};
  const stored = mapRuns(manifest, (run) => {
    const { inline, ...reference } = run;
    if (inline === undefined) return run;
    inlineRuns[run.file] = inline;
    return reference;
  });
  const body = { ...stored, formatVersion: MANIFEST_FORMAT_VERSION, inlineRuns };
  return encodeCheckedJson(body as unknown as Record<string, Json>);
}

/**
 * Whether every subtask's input had ended: a job restored from it has nothing left to do. Operators
 * without state (fused maps and filters) are not acknowledged one by one; they follow the others.
 */
export function isAllFinished({ operators }: Manifest): boolean {
  return Object.values(operators).every(({ subtasks }) =>
    subtasks.every(({ finished, keyed, lists }) => {
      return finished || (keyed === null && lists.length === 0);
    }),
  );
}

/**
 * @param object its name, for messages
 * @throws CorruptManifestError if a single bit is not as it was written
 * @throws UnsupportedManifestVersionError
 */
export function decodeManifest(bytes: Uint8Array, object: string): Manifest {
  const decoded = decodeCheckedJson(bytes);
  if (decoded.kind === 'damaged') {
    throw new CorruptManifestError(
      `manifest "${object}" is damaged: ${decoded.problem}`,
      { object, problem: decoded.problem },
      { hint: 'Restore from another checkpoint or a savepoint, by naming it.' },
    );
  }
  const { formatVersion } = decoded.body;
  if (formatVersion !== 1 && formatVersion !== MANIFEST_FORMAT_VERSION) {
    throw new UnsupportedManifestVersionError(
      `manifest "${object}" has format version ${String(formatVersion)}, ` +
        `this Millrace reads 1 to ${MANIFEST_FORMAT_VERSION}`,
      { object, formatVersion },
      { hint: 'Restore with the version of Millrace that wrote it, or a newer one.' },
    );
  }
  // The checksum fits and the version is ours: it is what `encodeManifest` was given.
  const { inlineRuns = {}, ...stored } = decoded.body as unknown as StoredManifest;
  if (Object.keys(inlineRuns).length === 0) return stored;
  return mapRuns(stored, (run) => {
    const inline = inlineRuns[run.file];
    return inline === undefined ? run : { ...run, inline };
  });
}
