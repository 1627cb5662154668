import { job, tumbling } from '@millrace/core';
import type { CampaignJob, JobWorld } from '@millrace/testing/campaign';
import { type VirtualBroker, virtualTransactionalSink } from '@millrace/testing/campaign';
import { clicks } from './clicks.ts';
import { fileJob, scaled, toFiles } from './outputs.ts';

const TOPIC = 'totals';

function brokerOf(world: JobWorld): VirtualBroker {
  if (world.broker === null) throw new Error('a job with topics has a broker');
  return world.broker;
}

function committedRecords(world: JobWorld): string[] {
  const broker = brokerOf(world);
  if (broker.isBlocked(TOPIC)) return ['a transaction is left open'];
  return broker.values(TOPIC) as string[];
}

/** Jobs that write to a broker, or keep their checkpoints in an object store. */
export const SERVER_JOBS: readonly CampaignJob[] = [
  {
    name: 'transactional-sink',
    topics: { [TOPIC]: 2 },
    committed: committedRecords,
    build: (size, world) =>
      job('transactional-sink', (flow) => {
        clicks(flow, 'clicks', { splits: 3, count: scaled(95, size) })
          .keyBy((click) => click.user)
          .window(tumbling(400))
          .aggregate('sums', {
            create: () => 0,
            add: (total, click) => total + click.points,
          })
          .map((w) => `${w.key} ${w.windowStartMs} ${w.value}`)
          .to('out', virtualTransactionalSink<string>(brokerOf(world), { topic: TOPIC }));
      }),
  },
  {
    name: 'object-store-and-broker',
    topics: { [TOPIC]: 2 },
    usesObjectStore: true,
    committed: committedRecords,
    build: (size, world) =>
      job('object-store-and-broker', (flow) => {
        clicks(flow, 'clicks', { splits: 3, count: scaled(100, size), ownUsers: true })
          .keyBy((click) => click.user)
          .reduce('running', (a, b) => ({ ...b, points: a.points + b.points }))
          .map((click) => `${click.user} ${click.points}`)
          .to('out', virtualTransactionalSink<string>(brokerOf(world), { topic: TOPIC }));
      }),
  },
  fileJob(
    'object-store',
    (flow, size) => {
      const sums = clicks(flow, 'clicks', { splits: 3, count: scaled(110, size) })
        .keyBy((click) => click.user)
        .window(tumbling(400))
        .aggregate('sums', { create: () => 0, add: (total, click) => total + click.points })
        .map((w) => `${w.key} ${w.windowStartMs} ${w.value}`);
      toFiles(sums);
    },
    { usesObjectStore: true },
  ),
];
