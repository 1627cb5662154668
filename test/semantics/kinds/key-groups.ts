import type { Key } from '../../../packages/core/src/element/key.ts';
import {
  defaultMaxParallelism,
  keyGroupOf,
  keyGroupRangeOf,
  subtaskOf,
} from '../../../packages/core/src/element/key-group.ts';
import { type CaseKind, dataOf, notSupported, numberOf } from '../case.ts';
import { stepVariant } from '../step-case.ts';

/** Where keys live. */
export const keyGroupsKind: CaseKind = {
  name: 'keyGroups',
  variants: (testCase) => [
    stepVariant(testCase, () => {
      const given = dataOf(testCase.job.keyGroups).maxParallelism;
      let index = -1;
      return (step) => {
        index++;
        const { key, parallelism } = step;
        if (step.defaultMaxParallelism !== undefined) {
          const wanted = numberOf(step.defaultMaxParallelism);
          const found = testCase.expect.find((item) => item.step === index);
          const name = Object.keys(found ?? {}).find((key) => key !== 'step') ?? 'maxParallelism';
          return [{ [name]: defaultMaxParallelism(wanted) }];
        }
        const maxParallelism = numberOf(given);
        if (key !== undefined) {
          const keyGroup = keyGroupOf(key as Key, maxParallelism);
          if (parallelism === undefined) return [{ keyGroup }];
          const subtask = subtaskOf(keyGroup, maxParallelism, numberOf(parallelism));
          return [{ keyGroup, subtask }];
        }
        if (parallelism === undefined) return notSupported(`step ${JSON.stringify(step)}`);
        const count = numberOf(parallelism);
        const ranges = [...new Array(count).keys()].map((index) => {
          const { first, last } = keyGroupRangeOf(index, maxParallelism, count);
          return [first, last];
        });
        return [{ ranges }];
      };
    }),
  ],
};
