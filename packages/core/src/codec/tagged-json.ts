import {
  bytesOfView,
  ERROR_KINDS,
  errorKindOf,
  isPlainArray,
  isPlainPrototype,
  makeError,
  setField,
  VIEW_KINDS,
  viewKindOf,
} from './builtin-kinds.ts';
import { malformed } from './codec-errors.ts';
import type { Json, JsonObject } from './json.ts';
import { unserializable } from './unserializable.ts';
import { MAX_DEPTH } from './value-tags.ts';

// What JSON can say stays as it is; everything else is {"$type": name, ...}:
//
//   undefined | number {value: "NaN" | "Infinity" | "-Infinity" | "-0"} | bigint {value: "12"}
//   date {value: ms | null} | map {entries: [[k, v]]} | set {values} | sparse {length, entries}
//   bytes {value: base64} | view {kind: "Uint8Array", value: base64} | regexp {source, flags}
//   error {kind, message, stack?, cause?} | boxed {value}
//   object {entries: [[name, value]]}: an object that has a field "$type" or "__proto__"

const TAG = '$type';

/**
 * Readable JSON for manifests. Plain values stay as they are, the others become tagged objects; two
 * different values never have one JSON.
 *
 * @throws UnserializableValueError for functions, symbols, class instances and cycles
 */
export function toTaggedJson(value: unknown, root = 'value'): Json {
  try {
    return encode(value, 0);
  } catch (error) {
    if (error === REFUSED) throw unserializable(value, root);
    throw error;
  }
}

/**
 * The inverse of `toTaggedJson`.
 *
 * @throws MalformedDataError for tagged objects that it does not write
 */
export function fromTaggedJson(json: Json): unknown {
  return decode(json, 0);
}

const REFUSED = Symbol('refused');

function encode(value: unknown, depth: number): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value) && !Object.is(value, -0)) return value;
      return { [TAG]: 'number', value: Object.is(value, -0) ? '-0' : String(value) };
    case 'undefined':
      return { [TAG]: 'undefined' };
    case 'bigint':
      return { [TAG]: 'bigint', value: String(value) };
    case 'object':
      if (value === null) return null;
      if (depth >= MAX_DEPTH) throw REFUSED;
      return encodeObject(value, depth + 1);
    default:
      throw REFUSED;
  }
}

function encodeObject(value: object, depth: number): Json {
  if (isPlainArray(value)) return encodeArray(value, depth);
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || isPlainPrototype(prototype)) return encodePlain(value, depth);
  const view = viewKindOf(prototype);
  if (view !== undefined) {
    return { [TAG]: 'view', kind: VIEW_KINDS[view]!.name, value: base64(bytesOfView(value)) };
  }
  if (errorKindOf(prototype) !== undefined) return encodeError(value as Error, depth);
  switch (prototype) {
    case Date.prototype: {
      const time = (value as Date).getTime();
      return { [TAG]: 'date', value: Number.isNaN(time) ? null : time };
    }
    case Map.prototype: {
      const entries = [...(value as Map<unknown, unknown>)];
      return { [TAG]: 'map', entries: entries.map((pair) => pair.map((x) => encode(x, depth))) };
    }
    case Set.prototype: {
      const values = [...(value as Set<unknown>)];
      return { [TAG]: 'set', values: values.map((x) => encode(x, depth)) };
    }
    case ArrayBuffer.prototype:
      return { [TAG]: 'bytes', value: base64(new Uint8Array(value as ArrayBuffer)) };
    case RegExp.prototype:
      return { [TAG]: 'regexp', source: (value as RegExp).source, flags: (value as RegExp).flags };
    case Number.prototype:
    case String.prototype:
    case Boolean.prototype:
    case BigInt.prototype:
      return { [TAG]: 'boxed', value: encode(value.valueOf(), depth) };
    default:
      throw REFUSED;
  }
}

function encodeArray(value: readonly unknown[], depth: number): Json {
  const elements: Json[] = [];
  for (let i = 0; i < value.length; i++) {
    if (value[i] === undefined && !Object.hasOwn(value, i)) {
      const entries: Json[] = [];
      value.forEach((x, index) => {
        entries.push([index, encode(x, depth)]);
      });
      return { [TAG]: 'sparse', length: value.length, entries };
    }
    elements.push(encode(value[i], depth));
  }
  return elements;
}

function encodePlain(value: object, depth: number): Json {
  const entries = Object.entries(value).map(([name, x]) => [name, encode(x, depth)] as const);
  if (Object.hasOwn(value, TAG) || Object.hasOwn(value, '__proto__')) {
    return { [TAG]: 'object', entries };
  }
  return Object.fromEntries(entries);
}

function encodeError(value: Error, depth: number): Json {
  const kind = ERROR_KINDS[errorKindOf(Object.getPrototypeOf(value) as object)!]!.name;
  return {
    [TAG]: 'error',
    kind,
    message: String(value.message),
    ...(typeof value.stack === 'string' ? { stack: value.stack } : {}),
    ...(Object.hasOwn(value, 'cause') ? { cause: encode(value.cause, depth) } : {}),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function decode(json: Json, depth: number): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (depth >= MAX_DEPTH) wrong('nesting');
  if (isArray(json)) return json.map((x) => decode(x, depth + 1));
  if (Object.hasOwn(json, TAG)) return decodeTagged(json, depth + 1);
  const value = {};
  for (const [name, x] of Object.entries(json)) setField(value, name, decode(x, depth + 1));
  return value;
}

function decodeTagged(json: JsonObject, depth: number): unknown {
  switch (json[TAG]) {
    case 'undefined':
      return undefined;
    case 'number':
      return decodeNumber(json);
    case 'bigint':
      if (!/^-?\d+$/.test(text(json, 'value'))) wrong('bigint');
      return BigInt(text(json, 'value'));
    case 'date':
      if (json.value === null) return new Date(Number.NaN);
      if (typeof json.value !== 'number') wrong('date');
      return new Date(json.value);
    case 'map':
      return new Map(pairs(json).map(([k, v]) => [decode(k, depth), decode(v, depth)]));
    case 'set':
      return new Set(items(json, 'values').map((x) => decode(x, depth)));
    case 'sparse':
      return decodeSparse(json, depth);
    case 'bytes':
      return bytesOf(json);
    case 'view':
      return decodeView(json);
    case 'regexp':
      return decodeRegExp(json);
    case 'error':
      return decodeError(json, depth);
    case 'boxed':
      return Object(decode(json.value ?? null, depth)) as object;
    case 'object': {
      const value = {};
      for (const [name, x] of pairs(json)) {
        if (typeof name !== 'string') wrong('object');
        setField(value, name, decode(x, depth));
      }
      return value;
    }
    default:
      return wrong(JSON.stringify(json[TAG]));
  }
}

function decodeNumber(json: JsonObject): number {
  const value = text(json, 'value');
  if (!['NaN', 'Infinity', '-Infinity', '-0'].includes(value)) wrong('number');
  return Number(value);
}

function decodeSparse(json: JsonObject, depth: number): unknown[] {
  const length = json.length;
  if (!isIndex(length, 2 ** 32)) wrong('sparse');
  const value: unknown[] = [];
  for (const [index, x] of pairs(json)) {
    if (!isIndex(index, length)) wrong('sparse');
    value[index] = decode(x, depth);
  }
  value.length = length;
  return value;
}

function decodeView(json: JsonObject): unknown {
  const kind = VIEW_KINDS.find((known) => known.name === json.kind);
  const buffer = bytesOf(json);
  if (kind === undefined || buffer.byteLength % kind.elementBytes !== 0) wrong('view');
  return kind.make(buffer);
}

function decodeRegExp(json: JsonObject): RegExp {
  try {
    return new RegExp(text(json, 'source'), text(json, 'flags'));
  } catch (cause) {
    return wrong('regexp', cause);
  }
}

function decodeError(json: JsonObject, depth: number): Error {
  const kind = ERROR_KINDS.find((known) => known.name === json.kind) ?? wrong('error');
  const message = text(json, 'message');
  const stack = json.stack;
  if (json.cause === undefined) return makeError(kind, { message, stack });
  return makeError(kind, { message, stack, cause: decode(json.cause, depth) });
}

function bytesOf(json: JsonObject): ArrayBuffer {
  return new Uint8Array(Buffer.from(text(json, 'value'), 'base64')).buffer;
}

function text(json: JsonObject, field: string): string {
  const value = json[field];
  return typeof value === 'string' ? value : wrong(field);
}

function items(json: JsonObject, field: string): readonly Json[] {
  const value = json[field];
  return value !== undefined && isArray(value) ? value : wrong(field);
}

function pairs(json: JsonObject): (readonly [Json, Json])[] {
  return items(json, 'entries').map((pair) => {
    if (!isArray(pair) || pair.length !== 2) wrong('entries');
    return [pair[0]!, pair[1]!] as const;
  });
}

function isArray(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

function isIndex(json: Json | undefined, below: number): json is number {
  return typeof json === 'number' && Number.isInteger(json) && json >= 0 && json < below;
}

function wrong(what: string, cause?: unknown): never {
  return malformed(`tagged JSON: ${what}`, 0, cause);
}
