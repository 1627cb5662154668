import { type OperatorListSnapshot, redistribute } from '@millrace/core/host';

/**
 * Deals the lists of operator state out to a new number of subtasks, as a restore of a job does.
 *
 * @param old the lists of each old subtask
 * @returns the lists of each new subtask
 */
export function redistributeLists(
  old: readonly (readonly OperatorListSnapshot[])[],
  parallelism: number,
): OperatorListSnapshot[][] {
  const shares: OperatorListSnapshot[][] = Array.from({ length: parallelism }, () => []);
  const names = new Set(old.flatMap((lists) => lists.map((list) => list.name)));
  for (const name of names) {
    const copies = old.map((lists) => lists.find((list) => list.name === name));
    const { redistribution } = copies.find((copy) => copy !== undefined)!;
    const elementsOf = copies.map((copy) => copy?.elements ?? []);
    const dealt = redistribute(redistribution, elementsOf, parallelism);
    for (const [index, elements] of dealt.entries()) {
      shares[index]!.push({ name, redistribution, elements });
    }
  }
  return shares;
}
