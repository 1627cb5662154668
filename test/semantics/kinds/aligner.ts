import { Batch } from '../../../packages/core/src/element/batch.ts';
import type { CheckpointMode, StreamElement } from '../../../packages/core/src/element/element.ts';
import { LocalChannel } from '../../../packages/core/src/task/channel/channel.ts';
import { InputGate } from '../../../packages/core/src/task/channel/input-gate.ts';
import { type CaseKind, type Data, dataOf, notSupported, numberOf, onlyKnown } from '../case.ts';
import { stepVariant } from '../step-case.ts';

/** Barriers of several channels, at the gate of a task. */
export const alignerKind: CaseKind = {
  name: 'aligner',
  variants: (testCase) => [
    stepVariant(testCase, () => {
      const { inputs, mode } = dataOf(testCase.job.aligner);
      onlyKnown(dataOf(testCase.job.aligner), 'aligner', 'inputs', 'mode');
      const checked = mode === 'at-least-once' ? mode : 'exactly-once';
      const channels = Array.from({ length: numberOf(inputs) }, () => new LocalChannel(1_000));
      const clock = { nowMs: () => 0, monotonicMs: () => 0 };
      const gateChannels = channels.map((channel) => ({ input: 0, channel }));
      const gate = new InputGate(gateChannels, checked, 1, clock);
      return (step) => {
        channels[numberOf(step.input)]!.send(elementOf(step, checked));
        return drain(gate);
      };
    }),
  ],
};

function elementOf(step: Data, mode: CheckpointMode): StreamElement {
  onlyKnown(step, 'step', 'input', 'record', 'barrier', 'cancelBarrier', 'endOfInput');
  if (step.record !== undefined) {
    return { kind: 'batch', batch: Batch.of([step.record]) };
  }
  if (step.barrier !== undefined) {
    const barrier = {
      checkpointId: numberOf(step.barrier),
      attempt: 1,
      snapshotKind: 'checkpoint',
      mode,
      triggeredAtMs: 0,
    } as const;
    return { kind: 'barrier', barrier };
  }
  if (step.cancelBarrier !== undefined) {
    return { kind: 'cancelBarrier', checkpointId: numberOf(step.cancelBarrier) };
  }
  if (step.endOfInput === true) return { kind: 'endOfInput' };
  return notSupported(`step ${JSON.stringify(step)}`);
}

function drain(gate: InputGate): Data[] {
  const items: Data[] = [];
  for (let event = gate.next(); event !== undefined; event = gate.next()) {
    if (event.kind === 'batch') items.push({ process: event.batch.values[0] });
    else if (event.kind === 'aligned') items.push({ checkpoint: event.barrier.checkpointId });
    else if (event.kind === 'aborted') {
      const reason = event.reason.replace(/^barrier /, '');
      items.push({ abort: event.checkpointId, reason });
    }
  }
  return items;
}
