// The built-in classes that structured clone knows by name, in the order of their stored numbers.
// Numbers are part of the stored format: append, never reorder.

interface BinaryView {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** A class of views over bytes. */
export interface ViewKind {
  readonly name: string;
  readonly elementBytes: number;
  readonly prototype: object;
  make(buffer: ArrayBuffer): BinaryView;
}

interface TypedArrayClass {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  readonly prototype: object;
  new (buffer: ArrayBuffer): BinaryView;
}

function typed(Class: TypedArrayClass): ViewKind {
  return {
    name: Class.name,
    elementBytes: Class.BYTES_PER_ELEMENT,
    prototype: Class.prototype,
    make: (buffer) => new Class(buffer),
  };
}

/** The number of a kind is its index. */
export const VIEW_KINDS: readonly ViewKind[] = [
  typed(Int8Array),
  typed(Uint8Array),
  typed(Uint8ClampedArray),
  typed(Int16Array),
  typed(Uint16Array),
  typed(Int32Array),
  typed(Uint32Array),
  typed(Float32Array),
  typed(Float64Array),
  typed(BigInt64Array),
  typed(BigUint64Array),
  {
    name: 'DataView',
    elementBytes: 1,
    prototype: DataView.prototype,
    make: (buffer) => new DataView(buffer),
  },
  {
    name: 'Buffer',
    elementBytes: 1,
    prototype: Buffer.prototype,
    make: (buffer) => Buffer.from(buffer),
  },
  ...optionalFloat16(),
];

// Node 24 has Float16Array, the compiler's library of this target does not.
function optionalFloat16(): ViewKind[] {
  const found = (globalThis as { readonly Float16Array?: TypedArrayClass }).Float16Array;
  return found === undefined ? [] : [typed(found)];
}

const viewNumbers = new Map<object, number>(VIEW_KINDS.map((kind, i) => [kind.prototype, i]));

/** The number of a view's kind; undefined for subclasses of users and everything else. */
export function viewKindOf(prototype: object): number | undefined {
  return viewNumbers.get(prototype);
}

/** The bytes that a view shows. */
export function bytesOfView(value: object): Uint8Array {
  const view = value as BinaryView;
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** The number of an error class is its index. */
export const ERROR_KINDS: readonly ErrorConstructor[] = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
];

const errorNumbers = new Map<object, number>(ERROR_KINDS.map((kind, i) => [kind.prototype, i]));

/** The number of a built-in error's class; undefined for subclasses and everything else. */
export function errorKindOf(prototype: object): number | undefined {
  return errorNumbers.get(prototype);
}

/** An error of that class with these fields and nothing else; absent fields stay absent. */
export function makeError(
  kind: ErrorConstructor,
  fields: { message: string; stack?: unknown; cause?: unknown },
): Error {
  const error = new kind(fields.message, 'cause' in fields ? { cause: fields.cause } : undefined);
  Object.defineProperty(error, 'stack', {
    value: fields.stack,
    writable: true,
    configurable: true,
    enumerable: false,
  });
  return error;
}

/** Whether objects with this prototype are plain, also those of another realm. */
export function isPlainPrototype(prototype: object | null): boolean {
  if (prototype === Object.prototype || prototype === null) return true;
  return (
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'hasOwnProperty') &&
    (prototype as { constructor?: { name?: unknown } }).constructor?.name === 'Object'
  );
}

/** Whether a value is an array and not of a subclass; also one of another realm. */
export function isPlainArray(value: object): value is unknown[] {
  if (!Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Array.prototype) return true;
  return prototype !== null && isPlainPrototype(Object.getPrototypeOf(prototype) as object | null);
}

/** Sets a field as a literal would; plain assignment of `__proto__` would set the prototype. */
export function setField(target: object, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(target, name, {
      value,
      writable: true,
      configurable: true,
      enumerable: true,
    });
  } else {
    (target as Record<string, unknown>)[name] = value;
  }
}
