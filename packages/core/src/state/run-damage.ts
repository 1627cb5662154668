import { MalformedDataError } from '../codec/codec-errors.ts';
import { RUN_VERSION } from './run-format.ts';
import { CorruptRunError, UnknownRunVersionError } from './state-errors.ts';

/** @throws CorruptRunError always */
export function corrupt(file: string, offset: number, reason: string, cause?: unknown): never {
  throw new CorruptRunError(
    `"${file}" is damaged at byte ${offset}: ${reason}`,
    { file, offset, reason },
    {
      hint: 'Restore from an older checkpoint; `checkpoints verify` lists the damage.',
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** Runs `read`; garbage found by the codec is damage of this file. */
export function guarded<T>(file: string, offset: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MalformedDataError)) throw error;
    return corrupt(file, offset + error.details.position, error.details.reason, error);
  }
}

/** The error for a format that this Millrace does not know. */
export function unknownVersion(file: string, version: number): UnknownRunVersionError {
  return new UnknownRunVersionError(
    `"${file}" has format version ${version}; this Millrace reads up to version ${RUN_VERSION}`,
    { file, version },
    { hint: 'Use the Millrace that wrote it, or a newer one.' },
  );
}
