import { StreamError } from '../base/errors.ts';

/** A component of a key. */
export type ScalarKey = string | number | bigint | boolean;

/** What keyed streams are partitioned by: a scalar, or a (possibly nested) tuple of keys. */
export type Key = ScalarKey | readonly Key[];

/**
 * What stands for a key in a JavaScript `Map`: two keys have one identity exactly if they are the
 * same key. A scalar is its own identity (1, "1" and 1n differ; -0 is 0), except strings that
 * begin with U+0000; tuples become text that begins with U+0000.
 */
export type KeyIdentity = ScalarKey;

/** A key selector returned something that cannot be a key. */
export class InvalidKeyError extends StreamError<{ type: string }> {
  static override readonly code = 'INVALID_KEY';
  static override readonly domain = 'user';
  static override readonly retry = 'restart';
}

/**
 * @returns the identity of `key`
 * @throws InvalidKeyError for NaN, null, undefined, objects, functions and symbols
 *
 * Cost: O(1) without allocation for scalars, O(length) for tuples.
 */
export function keyIdentity(key: Key): KeyIdentity {
  switch (typeof key) {
    case 'string':
      return key.charCodeAt(0) === 0 ? `\u0000s${key}` : key;
    case 'number':
      if (Number.isNaN(key)) throw invalidKey(key);
      return key === 0 ? 0 : key;
    case 'bigint':
    case 'boolean':
      return key;
    default:
      if (!Array.isArray(key)) throw invalidKey(key);
      return `\u0000t${tupleIdentity(key)}`;
  }
}

// Every component is tagged by type and prefixed by its length, so no two tuples share a text.
function tupleIdentity(tuple: readonly Key[]): string {
  let text = `${tuple.length}:`;
  for (const part of tuple) {
    if (typeof part === 'string') text += `s${part.length}:${part}`;
    else if (typeof part === 'number') text += `n${String(keyIdentity(part))};`;
    else if (typeof part === 'bigint') text += `i${part};`;
    else if (typeof part === 'boolean') text += part ? 'T' : 'F';
    else if (Array.isArray(part)) text += `t${tupleIdentity(part)}`;
    else throw invalidKey(part);
  }
  return text;
}

function invalidKey(key: unknown): InvalidKeyError {
  const type = key === null ? 'null' : Number.isNaN(key) ? 'NaN' : typeof key;
  return new InvalidKeyError(
    `a key must be a string, number, bigint, boolean or a tuple of these, but was ${type}`,
    { type },
    { hint: 'Return one of these from the key selector, or filter such records out before keyBy.' },
  );
}
