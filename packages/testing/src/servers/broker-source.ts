import type {
  EnumeratorContext,
  Source,
  SourceSplit,
  SplitEnumerator,
} from '@millrace/core/connector';
import type { BrokerClient } from './broker-client.ts';
import { BrokerReader } from './broker-reader.ts';
import { retryCall } from './retry-call.ts';
import type { VirtualBroker } from './virtual-broker.ts';

const DISCOVERY_ATTEMPTS = 16;

/** A partition and where to read on. */
export interface BrokerSplit extends SourceSplit {
  readonly partition: number;
  /** Next to read. */
  readonly offset: number;
  /** Read up to here, exclusive; null: for ever. */
  readonly stopOffset: number | null;
}

/** How a topic is read. */
export interface BrokerSourceOptions {
  readonly topic: string;
  /** Default true: up to what is there when the job first starts. False: for ever. */
  readonly isBounded?: boolean;
  /** Records of a fetch. Default 10: small, so that much can come between two. */
  readonly fetchRecords?: number;
  /** Between two looks at a partition that has nothing new. Default 50. */
  readonly pollIntervalMs?: number;
}

/** What the enumerator knows; null: the partitions have not been looked at yet. */
export type BrokerEnumeratorState = readonly BrokerSplit[] | null;

/**
 * Reads the committed records of a topic on a virtual broker, partition by partition, with their
 * timestamps. Positions are in the checkpoints, nowhere else. Partitions are dealt out when the
 * job first starts; a subtask without one ends.
 */
export function virtualBrokerSource<T>(
  broker: VirtualBroker,
  options: BrokerSourceOptions,
): Source<T, BrokerSplit, BrokerEnumeratorState> {
  const { topic, isBounded = true } = options;
  return {
    name: `broker ${topic}`,
    boundedness: isBounded ? 'bounded' : 'continuous',
    delivery: 'exactly-once',
    createEnumerator: (context, restored) =>
      new BrokerEnumerator(context, broker.connect(context.environment), options, restored),
    createReader: (context) =>
      new BrokerReader<T>(context, broker.connect(context.environment), options),
  };
}

/** Deals out partitions: each subtask gets, when it asks, every `parallelism`-th one. */
class BrokerEnumerator implements SplitEnumerator<BrokerSplit, BrokerEnumeratorState> {
  readonly #context: EnumeratorContext<BrokerSplit>;
  readonly #client: BrokerClient;
  readonly #options: BrokerSourceOptions;
  readonly #asking = new Set<number>();
  #returned: BrokerSplit[] = [];
  #splits: BrokerSplit[] | null;
  #isClosed = false;

  constructor(
    context: EnumeratorContext<BrokerSplit>,
    client: BrokerClient,
    options: BrokerSourceOptions,
    restored: BrokerEnumeratorState | undefined,
  ) {
    this.#context = context;
    this.#client = client;
    this.#options = options;
    this.#splits = restored ? [...restored] : null;
  }

  start(): void {
    if (this.#splits !== null) return;
    const { topic, isBounded = true } = this.#options;
    retryCall(this.#context.environment.scheduler, DISCOVERY_ATTEMPTS, () =>
      this.#client.endOffsets(topic),
    ).then(
      (ends) => {
        if (this.#isClosed) return;
        this.#splits = ends.map((end, partition) => {
          const stopOffset = isBounded ? end : null;
          return { splitId: `${topic}-${partition}`, partition, offset: 0, stopOffset };
        });
        for (const subtaskIndex of this.#asking) this.#assign(subtaskIndex);
      },
      (error: unknown) => {
        if (!this.#isClosed) this.#context.fail(error);
      },
    );
  }

  onSplitRequest(subtaskIndex: number): void {
    if (this.#splits === null) this.#asking.add(subtaskIndex);
    else this.#assign(subtaskIndex);
  }

  addSplitsBack(splits: readonly BrokerSplit[]): void {
    this.#returned.push(...splits);
  }

  snapshot(): BrokerEnumeratorState {
    return this.#splits === null ? null : [...this.#splits, ...this.#returned];
  }

  close(): void {
    this.#isClosed = true;
  }

  #assign(subtaskIndex: number): void {
    const { parallelism } = this.#context;
    const isOwn = (split: BrokerSplit) => split.partition % parallelism === subtaskIndex;
    const all = [...(this.#splits ?? []), ...this.#returned];
    this.#splits = all.filter((split) => !isOwn(split));
    this.#returned = [];
    const own = all.filter(isOwn);
    if (own.length > 0) this.#context.assignSplits(subtaskIndex, own);
    this.#context.signalNoMoreSplits(subtaskIndex);
  }
}
