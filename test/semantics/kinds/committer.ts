import {
  addCommittables,
  type CommitterState,
  completeUpTo,
  initialCommitterState,
  nextCommit,
  onOutcomes,
  unconfirmed,
} from '../../../packages/core/src/task/sink/committer-step.ts';
import type { CommitOutcome } from '../../../packages/core/src/function/sink.ts';
import { type CaseKind, type Data, dataOf, notSupported, numberOf } from '../case.ts';
import { stepVariant } from '../step-case.ts';

/** What a sink commits, and when. */
export const committerKind: CaseKind = {
  name: 'committer',
  variants: (testCase) => [
    stepVariant(testCase, () => {
      const run = new CommitterRun(numberOf(dataOf(testCase.job.committer).maxRetries));
      return (step) => run.step(step);
    }),
  ],
};

class CommitterRun {
  readonly #maxRetries: number;
  #state: CommitterState;
  readonly #answers = new Map<string, string[]>();
  /** The last one. */
  #snapshot: readonly unknown[] = [];

  constructor(maxRetries: number) {
    this.#maxRetries = maxRetries;
    this.#state = initialCommitterState(maxRetries);
  }

  step(step: Data): readonly Data[] {
    const { committables, answers, notifyComplete, snapshot, crashRestore } = step;
    if (committables !== undefined) {
      const { checkpoint, values } = dataOf(committables);
      this.#state = addCommittables(this.#state, numberOf(checkpoint), values as unknown[]);
      return [];
    }
    if (answers !== undefined) {
      for (const [value, list] of Object.entries(dataOf(answers))) {
        this.#answers.set(value, [...(list as string[])]);
      }
      return [];
    }
    if (notifyComplete !== undefined) return this.#complete(numberOf(notifyComplete));
    if (step.notifyAborted !== undefined) return []; // nothing to do: X3
    if (snapshot !== undefined) {
      this.#snapshot = unconfirmed(this.#state);
      return [];
    }
    if (crashRestore !== undefined) return this.#restore();
    return notSupported(`step ${JSON.stringify(step)}`);
  }

  // A restored job commits what its snapshot lists before it reads anything.
  #restore(): readonly Data[] {
    this.#state = addCommittables(initialCommitterState(this.#maxRetries), 0, this.#snapshot);
    return this.#complete(0);
  }

  #complete(checkpointId: number): readonly Data[] {
    const items: Data[] = [];
    this.#state = completeUpTo(this.#state, checkpointId);
    let failedCommits = 0;
    for (let due = nextCommit(this.#state); due !== null; due = nextCommit(this.#state)) {
      const outcomes = due.committables.map((value) => this.#outcomeOf(String(value)));
      items.push({ commit: [...due.committables] });
      const answer = onOutcomes(this.#state, outcomes);
      this.#state = answer.state;
      failedCommits += answer.rejected.length;
      if (answer.rejected.length > 0) items.push({ failedCommits });
      if (answer.failure !== undefined) {
        items.push({ failJob: true });
        break;
      }
    }
    return items;
  }

  #outcomeOf(value: string): CommitOutcome {
    const answer = this.#answers.get(value)?.shift() ?? 'ok';
    switch (answer) {
      case 'ok':
        return { kind: 'committed' };
      case 'already-committed':
        return { kind: 'alreadyCommitted' };
      case 'retry-later':
        return { kind: 'retryLater', reason: 'asked to' };
      case 'failed-known':
        return { kind: 'rejected', error: new Error('known reason') };
      case 'failed-unknown':
        return { kind: 'failed', error: new Error('unknown reason') };
      default:
        return notSupported(`answer ${answer}`);
    }
  }
}
