type Same<A, B> =
  (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;

/**
 * Holds a value's type to be exactly `Expected`; `any` and unions with more or fewer members fail.
 *
 * ```
 * expectType<number>()(value);
 * ```
 */
export function expectType<Expected>(): <Actual>(
  value: Actual,
  ...same: Same<Actual, Expected> extends true ? [] : [expected: Expected, actual: Actual]
) => void {
  return () => {};
}
