import type { Mutant } from './mutant.ts';

const CORE = 'core/src';

/** Barriers, watermarks, sources, async calls, the end of input. */
export const TASK_MUTANTS: readonly Mutant[] = [
  {
    name: 'barrier-overtakes-records',
    breaks: 'a barrier is sent before the records that are still collected: record-writer W1',
    jobs: ['two-shuffles'],
    edits: [
      {
        file: `${CORE}/task/channel/record-writer.ts`,
        find: `  broadcast(element: StreamElement): void {
    this.flush();`,
        replace: `  broadcast(element: StreamElement): void {
    if (element.kind !== 'barrier') this.flush();`,
      },
    ],
  },
  {
    name: 'snapshot-after-next-record',
    breaks: 'the snapshot is taken after the first element of the next epoch: task T2, aligner A1',
    edits: [
      {
        file: `${CORE}/embedded/task-runner.ts`,
        find: `        this.#snapshot(event.barrier, event.alignmentMs);`,
        replace: `        for (const next = this.#gate!.next(); next !== undefined; ) {
          this.#onGateEvent(next);
          break;
        }
        while (!this.task.resume());
        this.#snapshot(event.barrier, event.alignmentMs);`,
      },
    ],
  },
  {
    name: 'state-changes-after-freeze',
    breaks: 'lists of the snapshot are taken when they are written, not at the barrier: task T3',
    jobs: ['sliding', 'tumbling'],
    edits: [
      {
        file: `${CORE}/task/task-snapshot.ts`,
        find: `      lists: runtime.operatorStateSnapshot(),`,
        replace: `      get lists() {
        return runtime.operatorStateSnapshot();
      },`,
      },
    ],
  },
  {
    name: 'aligner-does-not-block',
    breaks: 'channels go on while others wait for the barrier: barrier-aligner A1',
    edits: [
      {
        file: `${CORE}/task/barrier/barrier-aligner.ts`,
        find: `    return aligning !== undefined && !aligning.isMissing[channelIndex];`,
        replace: `    return aligning === null && !isFinite(channelIndex);`,
      },
    ],
  },
  {
    name: 'aligner-misses-one-channel',
    breaks: 'the barrier of the last channel is not waited for: barrier-aligner A1',
    edits: [
      {
        file: `${CORE}/task/barrier/barrier-aligner.ts`,
        find: `    if (pending.missingCount > 0) return NOTHING;`,
        replace: `    if (pending.missingCount > 1) return NOTHING;`,
      },
    ],
  },
  {
    name: 'ended-channel-not-counted',
    breaks: 'a channel that has ended is waited for: barrier-aligner A4',
    edits: [
      {
        file: `${CORE}/task/channel/input-gate.ts`,
        find: `    this.#decide(this.#aligner.onEndOfInput(index, this.#clock.monotonicMs()));`,
        replace: `    void index;`,
      },
      {
        file: `${CORE}/task/task.ts`,
        find: `    this.#chain.chain.broadcast({ kind: 'barrier', barrier });`,
        replace: `    const { chain } = this.#chain;
    if (!this.#finished) chain.broadcast({ kind: 'barrier', barrier });`,
      },
    ],
  },
  {
    name: 'watermark-of-the-fastest',
    breaks: 'the watermark of a task is that of its fastest channel: watermark-valve V2',
    edits: [
      {
        file: `${CORE}/task/barrier/watermark-valve.ts`,
        find: `    let minimum = Number.POSITIVE_INFINITY;`,
        replace: `    let minimum = MIN_WATERMARK;`,
      },
      {
        file: `${CORE}/task/barrier/watermark-valve.ts`,
        find: `      if (channel.timeMs < minimum) minimum = channel.timeMs;`,
        replace: `      if (channel.timeMs > minimum) minimum = channel.timeMs;`,
      },
    ],
  },
  {
    name: 'watermark-goes-back',
    breaks: 'a source sends on what its splits say, smaller ones too: watermark-merge G1, N1',
    edits: [
      {
        file: `${CORE}/task/source/watermark-merge.ts`,
        find: `    if (!allIdle && minimumMs > this.#timeMs) this.#timeMs = minimumMs;`,
        replace: `    if (!allIdle && minimumMs > this.#timeMs) this.#timeMs = minimumMs;
    else if (!allIdle && Number.isFinite(minimumMs)) this.#timeMs = minimumMs - 1;`,
      },
      {
        file: `${CORE}/task/barrier/combined-watermark.ts`,
        find: `    this.#watermarks[input] = Math.max(this.#watermarks[input]!, timeMs);`,
        replace: `    this.#watermarks[input] = timeMs;`,
      },
      {
        file: `${CORE}/task/barrier/combined-watermark.ts`,
        find: `    if (timeMs <= this.#watermarkMs) return { idle, watermarkMs: undefined }; // N1`,
        replace: `    if (timeMs === this.#watermarkMs) return { idle, watermarkMs: undefined };`,
      },
    ],
  },
  {
    name: 'split-one-ahead',
    breaks: 'the stored position of a split is one record too far: source-operator',
    edits: [
      {
        file: `${CORE}/task/source/source-operator.ts`,
        find: `    this.#splits.update(this.#reader.snapshot(checkpointId));`,
        replace: `    this.#splits.update(
      this.#reader.snapshot(checkpointId).map((split) => {
        const { offset } = split as SourceSplit & { offset?: number };
        return offset === undefined ? split : { ...split, offset: offset + 1 };
      }),
    );`,
      },
    ],
  },
  {
    name: 'split-one-behind',
    breaks: 'the stored position of a split is one record too early: source-operator',
    edits: [
      {
        file: `${CORE}/task/source/source-operator.ts`,
        find: `    this.#splits.update(this.#reader.snapshot(checkpointId));`,
        replace: `    this.#splits.update(
      this.#reader.snapshot(checkpointId).map((split) => {
        const { offset } = split as SourceSplit & { offset?: number };
        return offset === undefined ? split : { ...split, offset: Math.max(0, offset - 1) };
      }),
    );`,
      },
    ],
  },
  {
    name: 'enumerator-state-too-late',
    breaks: 'the state of enumerators is taken after the barrier: source-coordinator S1',
    jobs: ['split-by-split'],
    edits: [
      {
        file: `${CORE}/embedded/job-attempt.ts`,
        find: `      states[source.uid] = source.snapshot(barrier.checkpointId);`,
        replace: `      Object.defineProperty(states, source.uid, {
        enumerable: true,
        get: () => source.snapshot(barrier.checkpointId),
      });`,
      },
    ],
  },
  {
    name: 'splits-of-readers-lost',
    breaks: 'splits that readers held do not go back to the enumerator: source-coordinator S2',
    edits: [
      {
        file: `${CORE}/coordinator/source-coordinator.ts`,
        find: `if (splits.length > 0) this.#enumerator.addSplitsBack(splits);`,
        replace: `if (splits.length > 2) this.#enumerator.addSplitsBack(splits);`,
      },
    ],
  },
  {
    name: 'async-inputs-not-stored',
    breaks: 'inputs of calls in flight are not in the snapshot: map-async B2',
    jobs: ['async'],
    edits: [
      {
        file: `${CORE}/task/operator/map-async.ts`,
        find: `    this.#inFlight.update(held); // B2`,
        replace: `    this.#inFlight.update(held.slice(1));`,
      },
    ],
  },
  {
    name: 'finish-called-again',
    breaks: 'an operator that had finished before the snapshot finishes again: task-chain',
    jobs: ['total-at-the-end'],
    edits: [
      {
        file: `${CORE}/task/task.ts`,
        find: `      if (!restoredFinished && operator.finish !== undefined) {`,
        replace: `      if (restoredFinished !== null && operator.finish !== undefined) {`,
      },
    ],
  },
];
