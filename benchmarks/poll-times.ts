import { percentile } from './measurement.ts';
import { threadCpuMs } from './keyed/replayed-events.ts';

/** Wall clock, or processor time of the thread alone. */
export type ClockName = 'wall' | 'cpu';

/**
 * When each poll of a source began, by both clocks, in milliseconds: one batch is processed between
 * two polls, so gaps between them are what a batch takes. Room for 4 million polls; later ones are
 * not noted.
 */
export class PollTimes {
  readonly wall = new Float64Array(1 << 22);
  readonly cpu = new Float64Array(1 << 22);
  count = 0;

  note(): void {
    if (this.count === this.wall.length) return;
    this.wall[this.count] = performance.now();
    this.cpu[this.count++] = threadCpuMs();
  }

  /** The longest time between two polls, of which a part lies in the interval of wall time. */
  longestGap(clock: ClockName, fromMs: number, toMs: number): number {
    const { wall, [clock]: times } = this;
    let longest = 0;
    for (let i = this.#after(fromMs); i < this.count && wall[i - 1]! < toMs; i++) {
      longest = Math.max(longest, times[i]! - times[i - 1]!);
    }
    return longest;
  }

  /** The gaps that begin in the interval of wall time: what a share of `share` is not above. */
  gap(clock: ClockName, share: number, fromMs: number, toMs: number): number {
    const { wall, [clock]: times } = this;
    const gaps: number[] = [];
    for (let i = this.#after(fromMs); i < this.count && wall[i - 1]! < toMs; i++) {
      gaps.push(times[i]! - times[i - 1]!);
    }
    return gaps.length === 0 ? 0 : percentile(gaps, share);
  }

  /** Index of the first poll after `fromMs`, at least 1. */
  #after(fromMs: number): number {
    let low = 1;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.wall[middle]! > fromMs) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
