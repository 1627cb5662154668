/** A number that only grows. */
export class Counter {
  value = 0;
  inc(by = 1): void {
    this.value += by;
  }
}

/** A number that is read when somebody looks. */
export type Gauge = () => number;

/** A histogram's summary over its last `capacity` values. */
export interface HistogramSummary {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly p50: number;
  readonly p99: number;
}

/** Keeps the last values in a ring; a summary sorts a copy, O(capacity log capacity). */
export class Histogram {
  readonly #ring: Float64Array;
  #count = 0;

  constructor(capacity = 1_024) {
    this.#ring = new Float64Array(capacity);
  }

  update(value: number): void {
    this.#ring[this.#count++ % this.#ring.length] = value;
  }

  summary(): HistogramSummary {
    const held = this.#ring.slice(0, Math.min(this.#count, this.#ring.length)).sort();
    const at = (share: number): number => held[Math.ceil(held.length * share) - 1] ?? Number.NaN;
    return {
      count: this.#count,
      min: held[0] ?? Number.NaN,
      max: held[held.length - 1] ?? Number.NaN,
      p50: at(0.5),
      p99: at(0.99),
    };
  }
}

/** Metrics of one operator subtask. Names are listed in docs/reference/metrics.md. */
export class MetricGroup {
  readonly counters = new Map<string, Counter>();
  readonly gauges = new Map<string, Gauge>();
  readonly histograms = new Map<string, Histogram>();

  /** The counter of that name; the same one on every call. */
  counter(name: string): Counter {
    let counter = this.counters.get(name);
    if (counter === undefined) {
      counter = new Counter();
      this.counters.set(name, counter);
    }
    return counter;
  }

  gauge(name: string, read: Gauge): void {
    this.gauges.set(name, read);
  }

  histogram(name: string): Histogram {
    let histogram = this.histograms.get(name);
    if (histogram === undefined) {
      histogram = new Histogram();
      this.histograms.set(name, histogram);
    }
    return histogram;
  }

  /** All values now: counters and gauges as numbers, histograms as summaries. */
  read(): Record<string, number | HistogramSummary> {
    const values: Record<string, number | HistogramSummary> = {};
    for (const [name, counter] of this.counters) values[name] = counter.value;
    for (const [name, gauge] of this.gauges) values[name] = gauge();
    for (const [name, histogram] of this.histograms) values[name] = histogram.summary();
    return values;
  }
}
