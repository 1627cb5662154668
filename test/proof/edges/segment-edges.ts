import type * as plainModule from '../../../packages/core/src/state/segment.ts';
import { countEdge } from './edge-counter.ts';

type Plain = Pick<typeof plainModule, 'Segment'>;

const MACHINE = 'segment';

/** See the drawing in segment.ts. */
export const EDGES: readonly string[] = [
  'open -> frozen',
  'frozen -> encoding',
  'encoding -> encoded',
  'encoded -> sealed',
  'frozen -> merged',
].map((edge) => `${MACHINE}: ${edge}`);

/** Counts edges of the segments of state. */
export function watch({ Segment }: Plain): Plain {
  return {
    Segment: class extends Segment {
      constructor(epoch: number) {
        super(epoch);
        let state = this.state;
        Object.defineProperty(this, 'state', {
          get: () => state,
          set: (next: typeof state) => {
            countEdge(MACHINE, `${state} -> ${next}`);
            state = next;
          },
        });
      }
    },
  };
}
