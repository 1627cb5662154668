import type { Environment } from '@millrace/core/host';

/** In virtual time, which passes only when nothing else is left to do. */
const DELAY_MAX_MS = 3;

/**
 * A call on a stand-in for a foreign system, as if over a network: it takes effect in a later turn
 * and is answered in a turn after that, so that a crash can fall between ("done, but nobody
 * knows"). Some calls take long, and later ones overtake them. The call of a dead process takes no
 * effect and is never answered.
 *
 * @returns what `effect` returns; rejects with what it throws
 */
export function remoteCall<R>(
  { scheduler, random }: Pick<Environment, 'scheduler' | 'random'>,
  effect: () => R,
): Promise<R> {
  const later = (run: () => void): void => {
    if (random.next() < 0.75) scheduler.defer(run);
    else scheduler.after(random.next() * DELAY_MAX_MS, run);
  };
  return new Promise((resolve, reject) => {
    later(() => {
      let answer: () => void;
      try {
        const result = effect();
        answer = () => resolve(result);
      } catch (error) {
        answer = () => reject(error);
      }
      later(answer);
    });
  });
}
