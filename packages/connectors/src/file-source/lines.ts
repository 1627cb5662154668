import type { Format } from './format.ts';
import { type StandardSchema, validated } from './standard-schema.ts';

/** Each line is a record: its text without the line break. */
export function lines(): Format<string> {
  return { name: 'lines', framing: 'lines', createDecoder: () => (text) => text };
}

/** Options of `jsonLines`. */
export interface JsonLinesOptions<T> {
  /** A Standard Schema; what it refuses is malformed, what it returns is the record. */
  readonly validate?: StandardSchema<T>;
}

/** Each line is a JSON value. Without `validate` the type is the caller's word. */
export function jsonLines<T = unknown>(options: JsonLinesOptions<T> = {}): Format<T> {
  const { validate } = options;
  const decode: (text: string) => T =
    validate === undefined ? JSON.parse : (text) => validated(validate, JSON.parse(text));
  // A function of one argument: JSON.parse would take an index for its reviver.
  return { name: 'JSON lines', framing: 'lines', createDecoder: () => (text) => decode(text) };
}
