import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentBytes } from '../measured-process.ts';
import { FlinkCluster } from '../peers/flink/flink-cluster.ts';

/** Which of Flink's state backends. */
export type FlinkBackend = 'hashmap' | 'rocksdb';

/** Flink's own pace of noticing that a process is dead, or a much faster one. */
export type Heartbeats = 'default' | 'tuned';

/** What is measured. */
export interface FlinkRecoverySpec {
  readonly backend: FlinkBackend;
  readonly heartbeats: Heartbeats;
  readonly keys: number;
  readonly stateBytes: number;
  readonly rate: number;
  readonly checkpointIntervalMs: number;
  readonly rounds: number;
}

/** Milliseconds from the SIGKILL of a task manager. */
export interface FlinkRound {
  readonly processStartMs: number;
  readonly firstOutputMs: number;
  readonly firstCorrectOutputMs: number;
  readonly caughtUpMs: number;
  readonly rssMaxBytes: number;
}

interface ProbeEvent {
  readonly event: string;
  readonly n: number;
  readonly atMs: number;
}

const TUNED = {
  'heartbeat.interval': '500 ms',
  'heartbeat.timeout': '3 s',
  'heartbeat.rpc-failure-threshold': '1',
};

/** Kills the task manager of a job, `rounds` times; a spare one is always running already. */
export async function flinkRecovery(spec: FlinkRecoverySpec): Promise<FlinkRound[]> {
  const stateMb = Math.ceil(spec.stateBytes / 2 ** 20);
  const isHeap = spec.backend === 'hashmap';
  const cluster = await FlinkCluster.start({
    taskHeapMb: isHeap ? 512 + 3 * stateMb : 512,
    managedMb: isHeap ? 64 : 128 + stateMb,
    configuration: {
      'state.backend.type': spec.backend,
      'execution.checkpointing.interval': `${spec.checkpointIntervalMs} ms`,
      ...(spec.heartbeats === 'tuned' ? TUNED : {}),
    },
  });
  try {
    const { keys, rate } = spec;
    const settings = ['--keys', keys, '--rate', rate, '--folder', cluster.folder].map(String);
    const job = await cluster.submit('VisitsJob', settings);
    const rounds: FlinkRound[] = [];
    await probed(cluster, 'caughtUp', 0);
    for (let i = 0; i < spec.rounds; i++) {
      await cluster.spare();
      await cluster.moreCheckpoints(job, 2);
      const [id, child] = await cluster.taskManagerOf(job);
      const rssMaxBytes = residentBytes(child.pid!).max;
      const killedAtMs = cluster.killTaskManager(id);
      const since = async (event: string): Promise<number> =>
        (await probed(cluster, event, killedAtMs)) - killedAtMs;
      rounds.push({
        processStartMs: 0,
        firstOutputMs: await since('firstOutput'),
        firstCorrectOutputMs: await since('newOutput'),
        caughtUpMs: await since('caughtUp'),
        rssMaxBytes,
      });
      process.stderr.write(`  ${JSON.stringify(rounds.at(-1))}\n`);
      cluster.addTaskManager();
    }
    return rounds;
  } finally {
    await cluster.stop();
  }
}

/** When the job told that after `afterMs`. Throws if it told a wrong result, or in vain. */
async function probed(cluster: FlinkCluster, event: string, afterMs: number): Promise<number> {
  for (const startMs = Date.now(); Date.now() - startMs < 600_000; await sleep(20)) {
    const events = readEvents(join(cluster.folder, 'events.jsonl'));
    const wrong = events.find((told) => told.event === 'wrong');
    if (wrong !== undefined) throw new Error(`Flink: wrong result of visit ${wrong.n}`);
    const found = events.find((told) => told.event === event && told.atMs > afterMs);
    if (found !== undefined) return found.atMs;
  }
  throw new Error(`Flink: no ${event}`);
}

function readEvents(path: string): ProbeEvent[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line));
  } catch {
    return []; // not there yet
  }
}
