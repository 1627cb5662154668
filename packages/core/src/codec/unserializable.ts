import { errorKindOf, isPlainArray, isPlainPrototype, viewKindOf } from './builtin-kinds.ts';
import { UnserializableValueError } from './codec-errors.ts';
import { MAX_DEPTH } from './value-tags.ts';

/**
 * Works out why a value was refused. Only called when encoding has failed, so it may be slow.
 *
 * @param root how the value is called; the path begins with it
 */
export function unserializable(value: unknown, root: string): UnserializableValueError {
  const found = findOffender(value, root, new Set());
  const path = found?.path ?? root;
  const type = found?.type ?? 'a value nested too deep';
  return new UnserializableValueError(
    `cannot store ${path}: it is ${type}`,
    { path, type },
    { hint: hintFor(type) },
  );
}

interface Offender {
  readonly path: string;
  readonly type: string;
}

function findOffender(value: unknown, path: string, above: Set<object>): Offender | null {
  if (typeof value === 'function') return { path, type: `a function` };
  if (typeof value === 'symbol') return { path, type: 'a symbol' };
  if (typeof value !== 'object' || value === null) return null;
  if (above.has(value)) return { path, type: 'a cycle' };
  if (above.size >= MAX_DEPTH) return { path, type: `nested deeper than ${MAX_DEPTH} levels` };
  const parts = partsOf(value, path);
  if (parts === null) {
    return { path, type: `an instance of the class ${className(value)}` };
  }
  above.add(value);
  for (const [part, partPath] of parts) {
    const found = findOffender(part, partPath, above);
    if (found !== null) return found;
  }
  above.delete(value);
  return null;
}

// The values inside a value with their paths; null if the value itself cannot be stored.
function partsOf(value: object, path: string): [unknown, string][] | null {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (isPlainArray(value)) return value.map((part, i) => [part, `${path}[${i}]`]);
  if (isPlainPrototype(prototype)) {
    return Object.entries(value).map(([name, part]) => [part, path + fieldPath(name)]);
  }
  if (prototype === Map.prototype) {
    const parts: [unknown, string][] = [];
    for (const [key, part] of value as Map<unknown, unknown>) {
      parts.push([key, `${path}.key(${brief(key)})`], [part, `${path}.get(${brief(key)})`]);
    }
    return parts;
  }
  if (prototype === Set.prototype) {
    return [...(value as Set<unknown>)].map((part) => [part, `${path}.member(${brief(part)})`]);
  }
  if (prototype === null) return [];
  if (errorKindOf(prototype) !== undefined) return [[(value as Error).cause, `${path}.cause`]];
  const known = viewKindOf(prototype) !== undefined || LEAVES.has(prototype);
  return known ? [] : null;
}

const LEAVES: ReadonlySet<object> = new Set<object>([
  Date.prototype,
  RegExp.prototype,
  ArrayBuffer.prototype,
  Number.prototype,
  String.prototype,
  Boolean.prototype,
  BigInt.prototype,
]);

function fieldPath(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function brief(key: unknown): string {
  if (typeof key === 'string') return JSON.stringify(key.slice(0, 40));
  return typeof key === 'object' || typeof key === 'function' ? typeof key : String(key);
}

function className(value: object): string {
  const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
  return typeof name === 'string' && name !== '' ? name : '(anonymous)';
}

function hintFor(type: string): string {
  if (type === 'a cycle') return 'Store ids instead of references back to an object above.';
  if (type.startsWith('an instance')) return 'Store a plain object with its fields instead.';
  return 'Leave it out of what is stored or emitted.';
}
