import type { SinkContext } from '@millrace/core/connector';
import { BucketNameError } from './file-sink-errors.ts';

/**
 * A part and where it stands. Plain data: it is both what a committer is given and what a writer
 * leaves in a checkpoint.
 */
export interface StagedPart {
  /** Of the sink. */
  readonly directory: string;
  /** Folder below `directory`; empty: none. */
  readonly bucket: string;
  /** File name of the finished part. */
  readonly name: string;
  /** Hidden folder that holds it until it is finished. */
  readonly staging: string;
  /** Length, or of a part that goes on: how much of it belongs to the checkpoint. */
  readonly sizeBytes: number;
  readonly createdAtMs: number;
}

/** What a part's name tells of its writer. */
export interface PartOwner {
  readonly subtaskIndex: number;
  readonly generation: number;
  readonly attempt: number;
  readonly counter: number;
}

/** Being written. */
export function inProgressPath(part: StagedPart): string {
  return `${part.staging}/${part.name}.inprogress`;
}

/** Complete and durable; becomes visible when its checkpoint is complete. */
export function pendingPath(part: StagedPart): string {
  return `${part.staging}/${part.name}.pending`;
}

/** Visible to readers. */
export function finishedPath(part: StagedPart): string {
  return `${folderOf(part)}/${part.name}`;
}

/** The folder of the finished part. */
export function folderOf({ directory, bucket }: StagedPart): string {
  return bucket === '' ? directory : `${directory}/${bucket}`;
}

/**
 * The hidden folder for the parts of one operator of one instance of a job. It stands in the same
 * directory as the finished parts, so that a rename moves a part there in one step.
 */
export function stagingFolder(directory: string, context: SinkContext): string {
  const { jobName, operatorUid, instanceId } = context;
  const owner = `${fileSafe(jobName)}-${fileSafe(operatorUid)}-${instanceName(instanceId)}`;
  return `${directory}/.millrace-${owner}`;
}

/**
 * Name of a finished part, for example `part-totals-5f3a-s0-g1a2-7.jsonl`: operator, instance,
 * subtask, generation and attempt of the process that wrote it, and a counter. No two attempts ever
 * use one name.
 */
export function partName(
  context: SinkContext,
  counter: number,
  prefix: string,
  suffix: string,
): string {
  const { operatorUid, instanceId, subtaskIndex, generation, attempt } = context;
  const who = `${fileSafe(operatorUid)}-${instanceName(instanceId)}`;
  return `${prefix}-${who}-s${subtaskIndex}-g${generation}a${attempt}-${counter}${suffix}`;
}

/** Reads the name of a file in a staging folder; null: it is not one of ours. */
export function parseStagedName(name: string): PartOwner | null {
  const match = /-s(\d+)-g(\d+)a(\d+)-(\d+)(?:\D.*)?\.(?:inprogress|pending)$/.exec(name);
  if (match === null) return null;
  const [subtaskIndex, generation, attempt, counter] = match.slice(1).map(Number);
  return {
    subtaskIndex: subtaskIndex!,
    generation: generation!,
    attempt: attempt!,
    counter: counter!,
  };
}

/** @throws BucketNameError if the bucket would lead out of the directory or hide its parts */
export function checkBucket(bucket: string): string {
  if (typeof bucket !== 'string') throw new BucketNameError(bucket);
  if (bucket === '') return bucket;
  for (const part of bucket.split('/')) {
    if (part === '' || part.startsWith('.') || part.includes('\\') || part.includes('\0')) {
      throw new BucketNameError(bucket);
    }
  }
  return bucket;
}

// Without `-`, so that names of different operators and instances never meet.
function instanceName(instanceId: string): string {
  return fileSafe(instanceId).replaceAll('-', '%2d');
}

/** Everything but letters, digits, `_`, `.` and `-` as `%` and its bytes in hexadecimal. */
function fileSafe(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}
