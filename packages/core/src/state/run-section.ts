import type { ShapeRecord } from '../codec/shape-table.ts';
import { bufferOf, openBlock } from './run-block.ts';
import type { TableRecord } from './run-format.ts';
import { SectionDirectory } from './section-directory.ts';

/** A section's bytes and where they come from. */
export interface SectionBytes {
  readonly file: string;
  /** Where the section begins in the file. */
  readonly offset: number;
  readonly keyGroup: number;
  readonly bytes: Uint8Array;
}

/** The entries of one key group in one run, all of them in memory, checked. */
export class RunSection {
  readonly source: SectionBytes;
  readonly directory: SectionDirectory;

  /**
   * Reads the section's directory; blocks are checked when they are read.
   *
   * @throws CorruptRunError UnknownRunVersionError
   */
  constructor(source: SectionBytes) {
    const { file, offset, keyGroup } = source;
    const bytes = bufferOf(source.bytes);
    this.source = source;
    this.directory = new SectionDirectory({ file, offset, length: bytes.length, keyGroup, bytes });
  }

  get entries(): number {
    return this.directory.entries;
  }

  get blockCount(): number {
    return this.directory.blockCount;
  }

  get tables(): readonly TableRecord[] {
    return this.directory.tables;
  }

  get shapes(): readonly ShapeRecord[] {
    return this.directory.shapes;
  }

  /** The raw bytes of a block. @throws CorruptRunError */
  block(index: number): Buffer {
    const { file, offset, bytes } = this.source;
    const start = this.directory.blockStart(index);
    const end = start + this.directory.blockLength(index);
    return openBlock(bytes.subarray(start, end), file, offset + start);
  }
}
