import { malformed } from './codec-errors.ts';

/** The field names of an object in their order. Content-addressed: equal names, equal id. */
export interface Shape {
  readonly names: readonly string[];
  /** The two halves of the 64-bit hash of the names. */
  readonly low: number;
  readonly high: number;
  /** The shape last seen in each field: the first guess for the next object. */
  readonly fieldShapes: (Shape | null)[];
  /** Another shape with the same `low`. */
  readonly next: Shape | null;
}

/** A shape as it is stored beside the values; plain data. */
export interface ShapeRecord {
  readonly low: number;
  readonly high: number;
  /** JSON text of the array of names. */
  readonly names: string;
}

interface Node {
  readonly children: Map<string, Node>;
  shape: Shape | null;
}

/** More shapes than this are no shapes but data in field names; those are written inline. */
const MAX_SHAPES = 4_096;
/** An object with more fields is written inline as well. */
const MAX_FIELDS = 256;

/**
 * The shapes known to one encoder or decoder. Ids are hashes, so tables can be united, and values
 * moved between runs, without renumbering.
 */
export class ShapeTable {
  readonly #root: Node = { children: new Map(), shape: null };
  readonly #byLow = new Map<number, Shape>();
  #learned = 0;

  /**
   * The shape of a plain object, learned if it is new.
   *
   * @returns null if the object must be written inline (table full, too many fields, hash taken)
   *
   * Cost: one map look-up per field; nothing is allocated for a known shape.
   */
  shapeOf(value: object): Shape | null {
    let node = this.#root;
    for (const name in value) {
      let next = node.children.get(name);
      if (next === undefined) {
        if (this.#learned >= MAX_SHAPES) return null;
        next = { children: new Map(), shape: null };
        node.children.set(name, next);
        this.#learned++;
      }
      node = next;
    }
    return node.shape ?? this.#learn(node, Object.keys(value));
  }

  find(low: number, high: number): Shape | undefined {
    let shape: Shape | null | undefined = this.#byLow.get(low);
    while (shape != null && shape.high !== high) shape = shape.next;
    return shape ?? undefined;
  }

  /**
   * Makes a stored shape known.
   *
   * @throws MalformedDataError if names and id do not belong together
   */
  add(record: ShapeRecord): void {
    if (this.find(record.low, record.high) !== undefined) return;
    const names = parseNames(record.names);
    const [low, high] = hash64(record.names);
    if (low !== record.low || high !== record.high) malformed('the id of a shape', 0);
    this.#insert(names, low, high);
  }

  #learn(node: Node, names: string[]): Shape | null {
    if (names.length > MAX_FIELDS) return null;
    const [low, high] = hash64(JSON.stringify(names));
    const known = this.find(low, high);
    if (known !== undefined && !sameNames(known.names, names)) return null;
    node.shape = known ?? this.#insert(names, low, high);
    return node.shape;
  }

  #insert(names: readonly string[], low: number, high: number): Shape {
    const shape: Shape = {
      names,
      low,
      high,
      fieldShapes: new Array(names.length).fill(null),
      next: this.#byLow.get(low) ?? null,
    };
    this.#byLow.set(low, shape);
    return shape;
  }
}

/** The stored form of a shape. */
export function shapeRecord(shape: Shape): ShapeRecord {
  return { low: shape.low, high: shape.high, names: JSON.stringify(shape.names) };
}

function parseNames(text: string): string[] {
  let names: unknown;
  try {
    names = JSON.parse(text);
  } catch (cause) {
    malformed('the field names of a shape', 0, cause);
  }
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    malformed('the field names of a shape', 0);
  }
  return names;
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}

// FNV-1a, 64 bits, over the UTF-8 bytes of the JSON text (JSON escapes lone surrogates).
function hash64(text: string): [low: number, high: number] {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text, 'utf8')) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return [Number(hash & 0xffff_ffffn), Number(hash >> 32n)];
}
