import { InvalidOptionError, type Sink } from '@millrace/core/connector';
import { checkCount, checkNumber, checkText } from '../check-option.ts';
import type { BucketOf } from './bucket.ts';
import { FileCommitter } from './file-committer.ts';
import { FileWriter } from './file-writer.ts';
import { deleteLeftovers } from './leftovers.ts';
import type { OutputFormat } from './output-format.ts';
import type { StagedPart } from './part-name.ts';
import type { RollingPolicy } from './part-roller.ts';

/** Options of `fileSink`. */
export interface FileSinkOptions<T> {
  /** Made if missing. Finished parts stand here, or in one folder per bucket below. */
  readonly directory: string;
  /** `jsonLinesOut()`, `csvOut(...)`, `linesOut()`, or one of your own. */
  readonly format: OutputFormat<T>;
  /** Default: 128 MB, 60 s old, 60 s idle. */
  readonly rolling?: RollingPolicy;
  /** Default: no buckets. */
  readonly bucket?: BucketOf<T>;
  /** Of the names of parts. Default `part`. */
  readonly prefix?: string;
  /** Of the names of parts, with its dot. Default: that of the format. */
  readonly suffix?: string;
  /** Bytes of one writer on their way to the disk before records have to wait. Default 8 MB. */
  readonly maxBufferedBytes?: number;
}

/**
 * Writes files, exactly once: a part is seen by readers when the checkpoint that holds it is
 * complete, whole and under its final name, and never changes afterwards.
 *
 *   .millrace-<job>-<operator>-<instance>/<part>.inprogress   being written
 *   .millrace-<job>-<operator>-<instance>/<part>.pending      closed, waits for its checkpoint
 *   <bucket>/<part>                                           finished
 *
 * All of them stand below `directory`, which must be one file system. Readers leave out names that
 * begin with a dot, as most do anyway.
 *
 * @throws InvalidOptionError
 */
export function fileSink<T>(given: FileSinkOptions<T>): Sink<T, StagedPart, StagedPart> {
  checkOptions(given);
  const directory = given.directory.replace(/(?<=.)\/+$/, '');
  const options = { ...given, directory };
  return {
    name: 'files',
    delivery: 'exactly-once',
    createWriter: (context, restored) => new FileWriter(options, context, restored),
    createCommitter: (context) => new FileCommitter(context.environment.fileSystem),
    recover: (context, live) => deleteLeftovers(directory, context, live),
  };
}

function checkOptions(options: FileSinkOptions<never>): void {
  checkText('directory', options.directory);
  checkCount('maxBufferedBytes', options.maxBufferedBytes, 1);
  for (const option of ['prefix', 'suffix'] as const) {
    const text = options[option];
    if (text !== undefined && (text.includes('/') || (option === 'prefix' && text === ''))) {
      throw new InvalidOptionError(option, text, 'must be part of a file name');
    }
  }
  if (options.prefix?.startsWith('.')) {
    throw new InvalidOptionError('prefix', options.prefix, 'must not hide finished parts');
  }
  if (options.rolling === undefined || options.rolling === 'onCheckpoint') return;
  const { maxPartBytes, rolloverMs, inactivityMs } = options.rolling;
  checkNumber('rolling.maxPartBytes', maxPartBytes, 0);
  checkNumber('rolling.rolloverMs', rolloverMs, 1);
  checkNumber('rolling.inactivityMs', inactivityMs, 1);
}
