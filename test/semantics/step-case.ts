import { type Data, nothingObserved, numberOf, type SemanticsCase, type Variant } from './case.ts';

/** Carries out one step. @returns what it caused */
export type RunStep = (step: Data, nowMs: number) => readonly Data[] | Promise<readonly Data[]>;

/**
 * The one way to run a case about a plain object or a pure step function. Steps `clock` only move
 * the time, unless `onClock` is given.
 *
 * @param open makes what the case is about, fresh
 */
export function stepVariant(
  testCase: SemanticsCase,
  open: () => RunStep | Promise<RunStep>,
  options: { readonly clockIsAStep?: boolean } = {},
): Variant {
  return {
    name: 'as given',
    async run() {
      const observed = nothingObserved();
      const runStep = await open();
      let nowMs = 0;
      for (const [index, step] of testCase.steps.entries()) {
        if (step.clock !== undefined) {
          nowMs = numberOf(step.clock);
          if (options.clockIsAStep !== true) continue;
        }
        for (const item of await runStep(step, nowMs)) {
          observed.items.push({ step: index, ...item });
        }
      }
      return observed;
    },
  };
}
