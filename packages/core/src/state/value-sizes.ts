/** Objects, arrays and boxes carry so much beside what they hold. */
const HEADER_BYTES = 24;
/** What a variable, field or element takes in V8 without pointer compression. */
const WORD_BYTES = 8;
/** Every so many values are measured, not taken for average. */
const SAMPLE_EVERY = 64;
/** Elements of an array that stand for all. */
const SAMPLED_ELEMENTS = 8;
/** Small numbers are one byte in a run and a word in the heap. */
const MOST_RATIO = 16;
const MAX_DEPTH = 6;
/** A text from here on is worth a look whenever it is written. */
const LONG_TEXT = 1_024;

/**
 * How many bytes the values of one state take in the heap. Measuring a value costs more than
 * storing it, so most are estimated: by their encoded length, which is known whenever one is
 * written into a run or read from there, times a ratio learned from those
 * that were measured.
 */
export class ValueSizes {
  /** What all values in memory take. */
  held = 0;
  /** Heap bytes per encoded byte, of late. */
  #ratio = 2;
  #untilLook = SAMPLE_EVERY;

  /**
   * Of a value whose encoded length is known. Cost: O(1).
   *
   * @param before what it was estimated to take; 0 if it comes out of a run
   */
  ofEncoded(encodedBytes: number, before: number): number {
    if (before > HEADER_BYTES && encodedBytes > 0) {
      const ratio = Math.min((before - HEADER_BYTES) / encodedBytes, MOST_RATIO);
      this.#ratio += (ratio - this.#ratio) / SAMPLE_EVERY;
    }
    return HEADER_BYTES + encodedBytes * this.#ratio;
  }

  /** The same for an entry that is an object of its own. */
  ofEncodedEntry(encodedBytes: number, before: number): number {
    return ENTRY_BYTES + this.ofEncoded(encodedBytes, before - ENTRY_BYTES);
  }

  /** The entry takes `bytes` from now on. */
  resize(entry: { bytes: number }, bytes: number): void {
    this.held += bytes - entry.bytes;
    entry.bytes = bytes;
  }

  /** Whether a value that was changed again should be measured. Cost: a few nanoseconds. */
  wantsLook(value: unknown): boolean {
    if (typeof value === 'string') return value.length >= LONG_TEXT;
    if (--this.#untilLook > 0) return false;
    this.#untilLook = SAMPLE_EVERY;
    return true;
  }

  /** Of a value that is new or has changed. Cost: O(fields), arrays count as their beginning. */
  ofChanged(value: unknown): number {
    return HEADER_BYTES + measure(value, 0);
  }

  /** The same for an entry. */
  ofChangedEntry(value: unknown): number {
    return ENTRY_BYTES + this.ofChanged(value);
  }
}

/** An entry beside its value: the object, its sub key, its place in an index. */
const ENTRY_BYTES = 208;

function measure(value: unknown, depth: number): number {
  switch (typeof value) {
    case 'string':
      return HEADER_BYTES + value.length;
    case 'number':
      return WORD_BYTES;
    case 'bigint':
      return HEADER_BYTES;
    case 'object':
      return value === null || depth >= MAX_DEPTH ? WORD_BYTES : measureObject(value, depth + 1);
    default:
      return WORD_BYTES;
  }
}

function measureObject(value: object, depth: number): number {
  if (Array.isArray(value)) {
    return HEADER_BYTES * 2 + measureSome(value, value.length, WORD_BYTES, depth);
  }
  if (ArrayBuffer.isView(value)) return HEADER_BYTES * 4 + value.byteLength;
  if (value instanceof ArrayBuffer) return HEADER_BYTES * 4 + value.byteLength;
  if (value instanceof Map) {
    const keys = measureSome(value.keys(), value.size, 0, depth);
    return HEADER_BYTES * 4 + keys + measureSome(value.values(), value.size, 40, depth);
  }
  if (value instanceof Set) return HEADER_BYTES * 4 + measureSome(value, value.size, 32, depth);
  let bytes = HEADER_BYTES;
  for (const name in value) {
    bytes += WORD_BYTES + measure((value as Record<string, unknown>)[name], depth);
  }
  return bytes;
}

function measureSome(some: Iterable<unknown>, count: number, each: number, depth: number): number {
  let bytes = 0;
  let looked = 0;
  for (const one of some) {
    if (looked++ === SAMPLED_ELEMENTS) break;
    bytes += measure(one, depth);
  }
  const sampled = Math.min(looked, SAMPLED_ELEMENTS, count);
  return count * each + (sampled === 0 ? 0 : (bytes / sampled) * count);
}
