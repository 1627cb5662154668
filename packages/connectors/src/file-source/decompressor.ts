import { assert } from '@millrace/core/connector';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';

/** How a file is compressed. */
export type Compression = 'none' | 'gzip' | 'zstd';

const OUTPUT_BYTES = 256 * 1024;

// What zlib streams of Node have under their asynchronous surface (npm's own tar reader stands on
// the same ground). The surface would take the order of turns from a thread pool.
interface ZlibInternals {
  readonly _handle: {
    writeSync(
      flush: number,
      input: Uint8Array,
      inputAt: number,
      inputLength: number,
      output: Uint8Array,
      outputAt: number,
      outputLength: number,
    ): void;
    onerror: (message: string, errno: number, code: string) => void;
  };
  /** Left over after `writeSync`: room in the output, bytes of the input. */
  readonly _writeState: Uint32Array;
}

/**
 * Decompresses in pieces, synchronously. Members (gzip) and frames (zstd) that follow one another
 * are one content.
 */
export class Decompressor {
  readonly #stream: ReturnType<typeof createGunzip>;
  readonly #internals: ZlibInternals;
  readonly #flushEnd: number;
  readonly #flushNone: number;
  #error: Error | null = null;

  constructor(compression: Exclude<Compression, 'none'>) {
    const isGzip = compression === 'gzip';
    this.#stream = isGzip ? createGunzip() : createZstdDecompress();
    this.#internals = this.#stream as unknown as ZlibInternals;
    assert(
      typeof this.#internals._handle?.writeSync === 'function',
      'zlib streams of this Node have a synchronous handle',
    );
    this.#internals._handle.onerror = (message, _errno, code) => {
      this.#error = Object.assign(new Error(message), { code });
    };
    this.#flushEnd = isGzip ? constants.Z_FINISH : constants.ZSTD_e_end;
    this.#flushNone = isGzip ? constants.Z_NO_FLUSH : constants.ZSTD_e_continue;
  }

  /**
   * Makes output only as it is taken: a small input can be very long.
   *
   * @throws Error with a `code` of zlib if the input is damaged
   */
  push(input: Uint8Array): Generator<Uint8Array> {
    return this.#run(input, this.#flushNone);
  }

  /** The rest. @throws Error if the input ended too early */
  end(): Generator<Uint8Array> {
    return this.#run(new Uint8Array(0), this.#flushEnd);
  }

  close(): void {
    this.#stream.close();
  }

  *#run(input: Uint8Array, flush: number): Generator<Uint8Array> {
    const { _handle: handle, _writeState: state } = this.#internals;
    for (let at = 0; ; ) {
      const output = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
      handle.writeSync(flush, input, at, input.length - at, output, 0, output.length);
      if (this.#error !== null) throw this.#error;
      const made = output.length - state[0]!;
      const isStuck = made === 0 && state[1] === input.length - at;
      at = input.length - state[1]!;
      if (made > 0) yield output.subarray(0, made);
      if ((at === input.length && made < output.length) || isStuck) return;
    }
  }
}

/** By the extension of a file: `.gz`, `.gzip`, `.zst`, `.zstd`, else none. */
export function compressionOf(path: string): Compression {
  if (/\.gz(?:ip)?$/i.test(path)) return 'gzip';
  return /\.zstd?$/i.test(path) ? 'zstd' : 'none';
}
