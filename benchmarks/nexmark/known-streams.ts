/** Arguments of a generator, and the hash of its events from number `first` on. */
export interface KnownStream {
  readonly events: number;
  readonly seed: number;
  readonly eventsPerSecond: number;
  readonly generators: number;
  readonly index: number;
  readonly outOfOrderGroupSize: number;
  readonly first: number;
  readonly hash: number;
}

const plain = {
  seed: 1,
  eventsPerSecond: 100_000,
  generators: 1,
  index: 0,
  outOfOrderGroupSize: 1,
  first: 0,
};

/**
 * What the generator and its Java twin must both give, so that peers are measured on the same
 * events. Never to be changed: then old figures could not be compared with new ones.
 */
export const KNOWN_STREAMS: readonly KnownStream[] = [
  { ...plain, events: 1_000_000, hash: 1491818060 },
  {
    ...{ ...plain, events: 100_001, seed: 77, eventsPerSecond: 10_000_000 },
    ...{ generators: 3, index: 2, hash: -1092914627 },
  },
  {
    ...{ ...plain, events: 100_000, seed: -5, eventsPerSecond: 12_345.5 },
    ...{ generators: 2, index: 1, outOfOrderGroupSize: 7, hash: 1818057824 },
  },
  // Event numbers above 32 bits.
  { ...plain, events: 2 ** 33 + 20_000, seed: 3, first: 2 ** 33, hash: 1990666843 },
];
