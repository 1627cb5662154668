import {
  fromTaggedJson,
  type Json,
  type Key,
  keyIdentity,
  toTaggedJson,
} from '@millrace/core/checkpoint';

// How keys are written on a command line and shown to people:
//
//   42  -0.5  1e9        a number                12n           a bigint
//   true  false          a boolean               order-17      a string: whatever is nothing else
//   "42"  "a b"          a string, as in JSON    ["a", 1, 2n]  a tuple of these, without bare words
//   {"$type": ...}       what JSON cannot say, as `state dump` prints it

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const BIGINT = /^-?\d+n$/;

/**
 * Reads a key.
 *
 * @returns a string with the reason if it is none
 */
export function parseKey(text: string): { readonly key: Key } | string {
  if (NUMBER.test(text)) return { key: Number(text) };
  if (BIGINT.test(text)) return { key: BigInt(text.slice(0, -1)) };
  if (text === 'true' || text === 'false') return { key: text === 'true' };
  if (!/^["[{]/.test(text)) return { key: text };
  try {
    // Bigints are no JSON: outside of strings they become what tagged JSON says for them.
    const json = text.replace(
      /"(?:[^"\\]|\\.)*"|(-?\d+)n/g,
      (whole: string, digits: string | undefined) =>
        digits === undefined ? whole : `{"$type":"bigint","value":"${digits}"}`,
    );
    const key = fromTaggedJson(JSON.parse(json) as Json) as Key; // the next line throws if not
    keyIdentity(key);
    return { key };
  } catch {
    return `a string in quotes, a tuple such as ["a", 1], or a word`;
  }
}

/** A key as `parseKey` reads it. */
export function formatKey(key: Key): string {
  if (typeof key === 'string') {
    const isBare = key !== '' && !/[\s"'\\\p{C}]/u.test(key) && isSame(parseKey(key), key);
    return isBare ? key : JSON.stringify(key);
  }
  return formatPart(key);
}

/**
 * Keys of other types that one may have meant: `42` for `"42"`.
 *
 * @returns none of them is `key` itself
 */
export function alikeKeys(key: Key): Key[] {
  const text = typeof key === 'string' ? key : formatKey(key).replace(/n$/, '');
  const alike: Key[] = [text];
  if (/^-?\d+$/.test(text)) alike.push(BigInt(text));
  const parsed = parseKey(text);
  if (typeof parsed !== 'string') alike.push(parsed.key);
  const seen = new Set([keyIdentity(key)]);
  return alike.filter((other) => {
    const isNew = !seen.has(keyIdentity(other));
    seen.add(keyIdentity(other));
    return isNew;
  });
}

function formatPart(key: Key): string {
  switch (typeof key) {
    case 'bigint':
      return `${key}n`;
    case 'number':
      return Number.isFinite(key) ? String(key) : JSON.stringify(toTaggedJson(key));
    case 'object':
      return `[${key.map(formatPart).join(', ')}]`;
    default:
      return JSON.stringify(key);
  }
}

function isSame(parsed: ReturnType<typeof parseKey>, key: Key): boolean {
  return typeof parsed !== 'string' && parsed.key === key;
}
