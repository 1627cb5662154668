import type { Sink, Source } from '@millrace/core/connector';
import { job, type JobDefinition, type, value } from 'millrace';
import { mix32 } from '../nexmark/mixing.ts';

/** Event `n` visits one key. */
export interface Visit {
  readonly n: number;
  readonly key: number;
}

/** What comes out for each visit: right only if the state from before is right. */
export interface VisitResult {
  readonly n: number;
  /** How often the key was visited, this time included. */
  readonly count: number;
  /** Made from the key at its first visit. */
  readonly check: number;
}

interface Visited {
  readonly count: number;
  readonly check: number;
  readonly payload: Uint8Array;
}

/** Bytes of an entry, about. */
export const BYTES_PER_VISITED = 1_040;
const PAYLOAD_BYTES = 1_000;

/** Every pass visits each key once, in an order that has nothing to do with where keys lie. */
export function visitAt(n: number, keys: number): Visit {
  const pass = Math.floor(n / keys);
  return { n, key: ((n - pass * keys) * 7_919) % keys };
}

/** The least number of keys from `wanted` on that `visitAt` can walk through. */
export function keysFrom(wanted: number): number {
  return wanted % 7_919 === 0 ? wanted + 1 : wanted;
}

/** What must come out for visit `n`. */
export function isRight({ n, count, check }: VisitResult, keys: number): boolean {
  const { key } = visitAt(n, keys);
  return count === Math.floor(n / keys) + 1 && check === mix32(key);
}

/** Counts visits per key; each key has a kilobyte of its own beside its count. */
export function visitsJob(visits: Source<Visit>, sink: Sink<VisitResult>): JobDefinition {
  return job('visits', (flow) => {
    flow
      .from('visits', visits)
      .keyBy((visit) => visit.key)
      .process('count', {
        state: { visited: value<Visited>() },
        output: type<VisitResult>(),
        onRecord({ n, key }, { state, emit }) {
          const before = state.visited.get();
          const count = (before?.count ?? 0) + 1;
          const check = before?.check ?? mix32(key);
          // A value that was stored is only read here: its bytes are handed on as they are.
          const payload = (before?.payload ?? payloadOf(key)) as Uint8Array;
          state.visited.set({ count, check, payload });
          emit({ n, count, check });
        },
      })
      .to('results', sink);
  });
}

function payloadOf(key: number): Uint8Array {
  const words = new Int32Array(PAYLOAD_BYTES / 4);
  let hash = key;
  for (let i = 0; i < words.length; i++) {
    hash = mix32(hash + 1);
    words[i] = hash;
  }
  return new Uint8Array(words.buffer);
}
