import { isPlainArray, isPlainPrototype } from '../codec/builtin-kinds.ts';

/**
 * Freezes a value and the plain objects and arrays in it, so that a change in place fails where it
 * is made. Contents of maps, sets and typed arrays cannot be frozen. Cost: O(size), once.
 */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  if (value instanceof Map) {
    for (const [key, element] of value) {
      deepFreeze(key);
      deepFreeze(element);
    }
  } else if (value instanceof Set) {
    for (const element of value) deepFreeze(element);
  } else if (isPlainArray(value) || isPlainPrototype(Object.getPrototypeOf(value))) {
    Object.freeze(value);
    for (const element of Object.values(value)) deepFreeze(element);
  }
}
