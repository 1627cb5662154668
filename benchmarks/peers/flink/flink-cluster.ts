// A real Flink cluster on loopback: a job manager, and task managers that can be killed.
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { freePort } from '../../../tools/servers/free-port.ts';
import { startProcess } from '../../measured-process.ts';
import { flinkCommand } from './flink-command.ts';
import { type FlinkInstallation, installFlink } from './install.ts';

const ANSWER_TIMEOUT_MS = 60_000;
const LOOK_MS = 20;

/** How a cluster is set up. */
export interface FlinkClusterOptions {
  /** More lines of its configuration, by key. */
  readonly configuration: Readonly<Record<string, string>>;
  /** Heap of a task manager for the job. */
  readonly taskHeapMb: number;
  /** RocksDB's share of a task manager. */
  readonly managedMb: number;
}

/** A running cluster. */
export class FlinkCluster {
  /** Files of the cluster and its checkpoints; removed with it. */
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-bench-flink-'));
  readonly #installation: FlinkInstallation = installFlink();
  readonly #options: FlinkClusterOptions;
  readonly #taskManagers = new Map<string, ChildProcess>();
  #jobManager: ChildProcess | null = null;
  #url = '';
  #started = 0;

  private constructor(options: FlinkClusterOptions) {
    this.#options = options;
  }

  /** Starts a cluster of two task managers with a slot each, and waits until it is ready. */
  static async start(options: FlinkClusterOptions): Promise<FlinkCluster> {
    const cluster = new FlinkCluster(options);
    try {
      await cluster.#startAll();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async #startAll(): Promise<void> {
    const [rest, rpc] = [await freePort(), await freePort()];
    this.#url = `http://127.0.0.1:${rest}`;
    const { taskHeapMb, managedMb, configuration } = this.#options;
    const lines = {
      'jobmanager.rpc.address': '127.0.0.1',
      'jobmanager.rpc.port': rpc,
      'jobmanager.bind-host': '127.0.0.1',
      'rest.port': rest,
      'rest.address': '127.0.0.1',
      'rest.bind-address': '127.0.0.1',
      'web.upload.dir': join(this.folder, 'upload'),
      'taskmanager.host': '127.0.0.1',
      'taskmanager.bind-host': '127.0.0.1',
      'taskmanager.numberOfTaskSlots': 1,
      'taskmanager.cpu.cores': '1.0',
      // Its start scripts would work these out.
      'taskmanager.memory.framework.heap.size': '128mb',
      'taskmanager.memory.framework.off-heap.size': '128mb',
      'taskmanager.memory.jvm-metaspace.size': '256mb',
      'taskmanager.memory.jvm-overhead.min': '192mb',
      'taskmanager.memory.jvm-overhead.max': '192mb',
      'taskmanager.memory.task.heap.size': `${taskHeapMb}mb`,
      'taskmanager.memory.task.off-heap.size': '0mb',
      'taskmanager.memory.managed.size': `${managedMb}mb`,
      'taskmanager.memory.network.min': '64mb',
      'taskmanager.memory.network.max': '64mb',
      'io.tmp.dirs': join(this.folder, 'tmp'),
      'execution.checkpointing.storage': 'filesystem',
      'execution.checkpointing.dir': `file://${join(this.folder, 'checkpoints')}`,
      'execution.checkpointing.incremental': true,
      'restart-strategy.type': 'fixed-delay',
      'restart-strategy.fixed-delay.attempts': 1_000_000,
      'restart-strategy.fixed-delay.delay': '0 s',
      ...configuration,
    };
    for (const name of ['tmp', 'upload', 'checkpoints']) mkdirSync(join(this.folder, name));
    const text = Object.entries(lines).map(([key, value]) => `${key}: ${value}\n`);
    writeFileSync(join(this.folder, 'config.yaml'), text.join(''));
    this.#jobManager = this.#java(
      'org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint',
      512,
      [],
    );
    this.addTaskManager();
    this.addTaskManager();
    await this.#until('the cluster', async () => (await this.#freeSlots()) === 2);
  }

  /** One more, which takes part when it is up. */
  addTaskManager(): void {
    const id = `tm-${++this.#started}`;
    const flags = ['-D', `taskmanager.resource-id=${id}`];
    const heapMb = this.#options.taskHeapMb + 128;
    const main = 'org.apache.flink.runtime.taskexecutor.TaskManagerRunner';
    this.#taskManagers.set(id, this.#java(main, heapMb, flags));
  }

  /** Waits until a task manager is there that does nothing. */
  async spare(): Promise<void> {
    await this.#until('a spare task manager', async () => (await this.#freeSlots()) > 0);
  }

  /** @returns the id of the job */
  async submit(mainClass: string, args: readonly string[]): Promise<string> {
    const form = new FormData();
    const jar = new Blob([readFileSync(this.#installation.jobs)]);
    form.append('jarfile', jar, 'jobs.jar');
    const uploaded = await this.#request('/jars/upload', { method: 'POST', body: form });
    const name = basename(String(uploaded.filename));
    const run = await this.#request(`/jars/${name}/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ entryClass: `bench.${mainClass}`, programArgsList: args }),
    });
    return String(run.jobid);
  }

  /** Completed checkpoints of a job so far. */
  async checkpoints(job: string): Promise<number> {
    const { counts } = await this.#request(`/jobs/${job}/checkpoints`);
    return (counts as { readonly completed: number }).completed;
  }

  /** Waits for so many more checkpoints. */
  async moreCheckpoints(job: string, count: number): Promise<void> {
    const before = await this.checkpoints(job);
    const isThere = async (): Promise<boolean> => (await this.checkpoints(job)) >= before + count;
    await this.#until('checkpoints', isThere, 600_000);
  }

  /** The task manager that runs a job: its id, its process. */
  async taskManagerOf(job: string): Promise<readonly [string, ChildProcess]> {
    const { vertices } = await this.#request(`/jobs/${job}`);
    const [{ id }] = vertices as readonly [{ readonly id: string }];
    const answer = await this.#request(`/jobs/${job}/vertices/${id}/taskmanagers`);
    const managers = answer.taskmanagers as readonly { readonly 'taskmanager-id': string }[];
    const name = managers[0]!['taskmanager-id'];
    return [name, this.#taskManagers.get(name)!];
  }

  /** @returns wall clock of the SIGKILL */
  killTaskManager(id: string): number {
    const atMs = Date.now();
    this.#taskManagers.get(id)!.kill('SIGKILL');
    this.#taskManagers.delete(id);
    return atMs;
  }

  async stop(): Promise<void> {
    for (const child of [...this.#taskManagers.values(), this.#jobManager]) {
      if (child === null || child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #java(mainClass: string, heapMb: number, flags: readonly string[]): ChildProcess {
    const { library } = this.#installation;
    // The job is loaded from its jar, not from here: only Flink is on this class path.
    const installation = { ...this.#installation, classPath: join(library, '*') };
    const args = ['--configDir', this.folder, ...flags];
    const heap = { heapBytes: heapMb * 2 ** 20 };
    const command = flinkCommand(installation, mainClass, heap, args);
    return startProcess(command.command, command.args);
  }

  async #freeSlots(): Promise<number> {
    return Number((await this.#request('/overview'))['slots-available']);
  }

  async #request(path: string, init?: RequestInit): Promise<Readonly<Record<string, unknown>>> {
    const response = await fetch(this.#url + path, init);
    const answer = await response.json();
    if (!response.ok) throw new Error(`Flink: ${path}: ${JSON.stringify(answer).slice(0, 2_000)}`);
    return answer as Readonly<Record<string, unknown>>;
  }

  async #until(
    what: string,
    isThere: () => Promise<boolean>,
    timeoutMs = ANSWER_TIMEOUT_MS,
  ): Promise<void> {
    for (const startMs = Date.now(); Date.now() - startMs < timeoutMs; ) {
      if (await isThere().catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    throw new Error(`Flink: waited ${timeoutMs} ms for ${what}`);
  }
}
