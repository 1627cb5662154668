import type { JobDefinition } from '@millrace/core';
import type { ReaderContext, Source, SourceReader, SourceSplit } from '@millrace/core/connector';

type AnySource = Source<unknown, SourceSplit>;
type AnyReader = SourceReader<unknown, SourceSplit>;

/** How the sources of a job are slowed down, and what they have handed over. */
export interface Pace {
  /** Virtual time that a reader rests after each batch. */
  readonly restMs: number;
  /** Called with the size of each batch. */
  readonly onBatch?: (records: number) => void;
}

/**
 * The same job with sources that rest after each batch. Short inputs would be read before the first
 * checkpoint is complete, and no crash could come between two of them.
 */
export function pacedJob(job: JobDefinition, pace: Pace): JobDefinition {
  return {
    name: job.name,
    build(parameters) {
      const graph = job.build(parameters);
      return {
        ...graph,
        nodes: graph.nodes.map((node) => {
          const { spec } = node;
          if (spec.kind !== 'source') return node;
          return { ...node, spec: { ...spec, source: paced(spec.source, pace) } };
        }),
      };
    },
  };
}

function paced(source: AnySource, pace: Pace): AnySource {
  return {
    name: source.name,
    boundedness: source.boundedness,
    delivery: source.delivery,
    createEnumerator: (context, restored) => source.createEnumerator(context, restored),
    createReader: (context) => pacedReader(source.createReader(context), context, pace),
  };
}

function pacedReader(reader: AnyReader, { environment }: ReaderContext, pace: Pace): AnyReader {
  const { restMs, onBatch } = pace;
  let resting: Promise<void> | null = null;
  const rest = (): void => {
    resting = new Promise<void>((resolve) => {
      environment.scheduler.after(restMs, () => {
        resting = null;
        resolve();
      });
    });
  };
  // Everything but these two is the reader's own.
  return new Proxy(reader, {
    get(target, name) {
      if (name === 'poll') {
        return (maxRecords: number) => {
          if (resting !== null) return 'wait';
          const polled = target.poll(maxRecords);
          if (typeof polled === 'string') return polled;
          onBatch?.(polled.batch.size);
          if (restMs > 0) rest();
          return polled;
        };
      }
      if (name === 'available') return () => resting ?? target.available();
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
