import {
  type ChannelInfo,
  type ChannelObserver,
  MIN_WATERMARK,
  type StreamElement,
} from '@millrace/core/host';

/** What a channel has carried so far. */
interface ChannelState {
  watermarkMs: number;
  barrierId: number;
  hasEnded: boolean;
}

/**
 * Checks every element on every channel.
 *
 * E1. Watermarks never go back.
 * E2. Barriers and their cancellations come in ascending order of id.
 * E3. After the end of input come only barriers and cancellations.
 * E4. No record is behind its channel's watermark (unless the job's input has late ones).
 * E5. Behind `keyBy` a record's key group is one of the receiver's.
 *
 * @param mayBeLate switches E4 off
 * @param report called with one sentence per violation
 */
export function edgeWatch(mayBeLate: boolean, report: (message: string) => void): ChannelObserver {
  return (channel) => {
    const state: ChannelState = {
      watermarkMs: MIN_WATERMARK,
      barrierId: 0,
      hasEnded: false,
    };
    return (element) => {
      const problem = checkElement(channel, state, element, mayBeLate);
      if (problem === null) return;
      report(`${channel.from} -> ${channel.to}, attempt ${channel.attempt}: ${problem}`);
    };
  };
}

function checkElement(
  channel: ChannelInfo,
  state: ChannelState,
  element: StreamElement,
  mayBeLate: boolean,
): string | null {
  if (element.kind === 'barrier' || element.kind === 'cancelBarrier') {
    const isBarrier = element.kind === 'barrier';
    const id = isBarrier ? element.barrier.checkpointId : element.checkpointId;
    const before = state.barrierId;
    state.barrierId = Math.max(before, id);
    return id > before ? null : `E2: ${element.kind} ${id} after ${before}`;
  }
  if (state.hasEnded) return `E3: ${element.kind} after the end of input`;
  switch (element.kind) {
    case 'endOfInput':
      state.hasEnded = true;
      return null;
    case 'watermark': {
      const before = state.watermarkMs;
      state.watermarkMs = element.timeMs;
      return element.timeMs >= before ? null : `E1: watermark ${element.timeMs} after ${before}`;
    }
    case 'watermarkStatus':
      return null;
    case 'batch':
      return checkBatch(channel, state, element.batch, mayBeLate);
  }
}

type Batch = Extract<StreamElement, { kind: 'batch' }>['batch'];

function checkBatch(
  { keyGroups }: ChannelInfo,
  { watermarkMs }: ChannelState,
  batch: Batch,
  mayBeLate: boolean,
): string | null {
  for (let i = 0; i < batch.size; i++) {
    const timestampMs = batch.timestamps[i]!;
    if (!mayBeLate && timestampMs <= watermarkMs) {
      return `E4: a record of ${timestampMs} after watermark ${watermarkMs}`;
    }
    if (keyGroups === null) continue;
    const keyGroup = batch.keyGroups?.[i] ?? -1;
    if (keyGroup < keyGroups.first || keyGroup > keyGroups.last) {
      return `E5: key group ${keyGroup} is not in ${keyGroups.first} to ${keyGroups.last}`;
    }
  }
  return null;
}
