// Chance by counting: draw k of event n is a hash of (seed, n, k), so any event can be made alone,
// on any thread, again. All of it is 32-bit arithmetic, which JavaScript and Java do alike and at
// the same cost (`peers/flink/src/main/java/bench/Mixing.java` is the twin of this file).

/** A bijection of 32-bit integers that scatters well ("lowbias32"). */
export function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return h ^ (h >>> 15);
}

/** Draw `k` (1, 2, ...) of the event whose own hash is `event`. Signed, 32 bits. */
export function draw(event: number, k: number): number {
  return mix32((event + Math.imul(k, 0x9e3779b9)) | 0);
}

/** The hash of a number that may have 53 bits, for a seed. Below 2^32 it costs one `mix32`. */
export function hashOf(seed: number, n: number): number {
  const high = n < 4_294_967_296 ? seed : mix32(seed ^ Math.floor(n / 4_294_967_296));
  return mix32(n ^ high);
}

/** Adds a 32-bit integer to a running hash; order counts. */
export function addInt(hash: number, value: number): number {
  return (mix32(hash ^ value) + 0x5bd1e995) | 0;
}

/** Adds an integer of up to 53 bits (not negative). */
export function addLong(hash: number, value: number): number {
  return addInt(addInt(hash, value | 0), Math.floor(value / 4_294_967_296) | 0);
}

/** Adds a string by what Java calls its `hashCode`. */
export function addString(hash: number, text: string): number {
  let code = 0;
  for (let i = 0; i < text.length; i++) code = (Math.imul(code, 31) + text.charCodeAt(i)) | 0;
  return addInt(hash, code);
}
