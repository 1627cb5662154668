/** Puts out one record; the type of the second argument of a `flatMap` that emits. */
export type Emit<Out> = (value: Out) => void;

/** Any number of records for one: returned, or emitted, or both (the emitted ones first). */
export type FlatMapFunction<In, Out> = (value: In, emit: Emit<Out>) => Iterable<Out> | void;

/**
 * The form that the runtime calls: it only emits. What is neither iterable nor undefined is handed
 * back, so that a promise is reported as one.
 */
export function flatMapOf<In, Out>(
  flatMap: FlatMapFunction<In, Out>,
): (value: unknown, emit: (value: unknown) => void) => void {
  return (value, emit) => {
    const returned: unknown = flatMap(value as In, emit);
    if (Array.isArray(returned)) {
      for (let i = 0; i < returned.length; i++) emit(returned[i]);
      return undefined;
    }
    if (!isIterable(returned)) return returned;
    for (const out of returned) emit(out);
    return undefined;
  };
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
