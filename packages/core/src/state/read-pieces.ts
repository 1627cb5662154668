import type { ColdReader } from './cold-reader.ts';
import type { RunReference } from './snapshot.ts';

/** Bytes of a run that somebody waits for. */
export interface RunPiece {
  readonly reference: RunReference;
  /** Relative to the run. */
  readonly offset: number;
  readonly length: number;
  /** Gets exactly these bytes; perhaps a view of more. */
  readonly accept: (bytes: Uint8Array) => void;
}

/** At the same time; more only queue up in the storage. */
const READS_MAX = 16;
/** A hole of so many bytes is read along: cheaper than a read of its own. */
const HOLE_BYTES_MAX = 16 << 10;
/** A read that grew so large ends. */
const READ_BYTES_MAX = 1 << 20;

interface Range {
  readonly reference: RunReference;
  readonly offset: number;
  length: number;
  readonly pieces: RunPiece[];
}

/**
 * Reads pieces in parallel, in the order of their places, neighbours together.
 *
 * @returns when all have been accepted; rejects with the first error of a read or an `accept`
 */
export async function readPieces(reader: ColdReader, pieces: readonly RunPiece[]): Promise<void> {
  const ranges = rangesOf(pieces);
  let next = 0;
  let hasFailed = false;
  const work = async (): Promise<void> => {
    while (next < ranges.length && !hasFailed) {
      const { reference, offset, length, pieces: wanted } = ranges[next++]!;
      try {
        const bytes = await reader.readBeside(reference, offset, length);
        for (const piece of wanted) {
          const start = piece.offset - offset;
          piece.accept(bytes.subarray(start, start + piece.length));
        }
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const workers: Promise<void>[] = [];
  for (let i = 0; i < Math.min(READS_MAX, ranges.length); i++) workers.push(work());
  await Promise.all(workers);
}

/** Sorts by place and joins what lies close together. */
function rangesOf(pieces: readonly RunPiece[]): Range[] {
  const sorted = [...pieces].sort(byPlace);
  const ranges: Range[] = [];
  let last: Range | null = null;
  for (const piece of sorted) {
    const { reference, offset, length } = piece;
    if (last !== null && last.reference === reference) {
      const joined: number = Math.max(last.length, offset + length - last.offset);
      const hole = offset - last.offset - last.length;
      if (hole <= HOLE_BYTES_MAX && joined <= READ_BYTES_MAX) {
        last.length = joined;
        last.pieces.push(piece);
        continue;
      }
    }
    last = { reference, offset, length, pieces: [piece] };
    ranges.push(last);
  }
  return ranges;
}

function byPlace(a: RunPiece, b: RunPiece): number {
  if (a.reference.file !== b.reference.file) return a.reference.file < b.reference.file ? -1 : 1;
  return a.reference.offset + a.offset - (b.reference.offset + b.offset);
}
