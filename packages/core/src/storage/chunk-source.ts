/**
 * The stream of a `putStream`, for drivers: remembers whether it failed by itself, so that its
 * error is not taken for one of the storage.
 */
export class ChunkSource implements AsyncIterable<Uint8Array> {
  /** What the stream threw; null: nothing so far. */
  failure: { readonly error: unknown } | null = null;
  readonly #chunks: AsyncIterable<Uint8Array>;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* this.#chunks;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }

  /**
   * The same bytes in pieces of exactly `pieceBytes`, but for the last, which may be shorter; none
   * is empty. Each is a copy. Memory: one piece.
   */
  async *pieces(pieceBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
    let piece = new Uint8Array(0);
    let filled = 0;
    for await (const chunk of this) {
      for (let at = 0; at < chunk.length; ) {
        const taken = Math.min(chunk.length - at, pieceBytes - filled);
        piece = roomFor(piece, filled, filled + taken, pieceBytes);
        piece.set(chunk.subarray(at, at + taken), filled);
        filled += taken;
        at += taken;
        if (filled < pieceBytes) continue;
        yield piece;
        piece = new Uint8Array(0);
        filled = 0;
      }
    }
    if (filled > 0) yield piece.subarray(0, filled);
  }
}

// Small objects do not cost a whole piece of memory.
function roomFor(
  piece: Uint8Array<ArrayBuffer>,
  filled: number,
  neededBytes: number,
  mostBytes: number,
): Uint8Array<ArrayBuffer> {
  if (neededBytes <= piece.length) return piece;
  const grown = new Uint8Array(Math.min(mostBytes, Math.max(neededBytes, 2 * piece.length)));
  grown.set(piece.subarray(0, filled));
  return grown;
}
