import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../free-port.ts';
import { installed, ServerInstallError } from '../installed.ts';

// The Hadoop of the tests: NameNode and DataNode in one Java process on ports of the loopback
// interface.
//
//   startMiniHdfs --READY--> runs --kill (SIGKILL)-----> dead --restart--> runs
//                              +--stop (end of input)--> dead      (same ports, same data)

const INSTALL_TIMEOUT_MS = 600_000;
const START_TIMEOUT_MS = 120_000;
const COMMAND_TIMEOUT_MS = 60_000;
const VERSION = '3.4.1';

/** The user that the server takes for its superuser. */
export const hdfsUser = 'millrace';

/** A server of ours. */
export interface MiniHdfs {
  /** `webhdfs://millrace@127.0.0.1:PORT`: the superuser's root, without a slash at its end. */
  readonly url: string;
  /** `127.0.0.1:PORT` of the NameNode's web address, and of the standby if there is one. */
  readonly nameNodes: readonly string[];
  /**
   * `safemode on|off`, `datanode stop|start`, `quota PATH NAMES BYTES`, `failover FROM TO`.
   *
   * @throws Error if the server could not do it
   */
  command(line: string): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts a killed server again, on the same ports and data; resolves when it is ready. */
  restart(): Promise<void>;
  /** Ends the process; the data stay. */
  stop(): Promise<void>;
}

/**
 * Installs Hadoop by Maven if it is not there (about 110 MB).
 *
 * @returns the class path
 * @throws ServerInstallError
 */
export async function installMiniHdfs(): Promise<string> {
  const sources = ['pom.xml', 'MiniHdfs.java'].map((name) => join(import.meta.dirname, name));
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(source));
  const name = `hdfs-${VERSION}-${hash.digest('hex').slice(0, 8)}`;
  const folder = await installed(name, async (part) => {
    const pom = sources[0]!;
    const lib = join(part, 'lib');
    const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime'];
    carryOut('mvn', ['-q', '-B', '-f', pom, ...copy, `-DoutputDirectory=${lib}`]);
    carryOut('javac', ['-cp', join(lib, '*'), '-d', join(part, 'classes'), sources[1]!]);
  });
  return [join(folder, 'classes'), join(folder, 'lib', '*')].join(delimiter);
}

function carryOut(program: string, args: readonly string[]): void {
  const limits = { encoding: 'utf8', timeout: INSTALL_TIMEOUT_MS } as const;
  const { status, error, stdout, stderr } = spawnSync(program, args, limits);
  if (status === 0) return;
  const said = error === undefined ? `${stdout}${stderr}`.slice(-2_000) : error.message;
  throw new ServerInstallError(
    `could not install HDFS ${VERSION} for the tests: ${program} failed. ` +
      `It needs a JDK 11 or newer, Maven, and a Maven repository.\n${said}`,
  );
}

/**
 * Starts a server (some 10 seconds).
 *
 * @param directory made if it is not there; an empty one gives an empty server
 * @param options `pair`: an active and a standby NameNode
 */
export async function startMiniHdfs(
  directory: string,
  options: { readonly pair?: boolean } = {},
): Promise<MiniHdfs> {
  const classPath = await installMiniHdfs();
  const ports: number[] = [];
  while (ports.length < (options.pair === true ? 4 : 2)) {
    const port = await freePort();
    if (!ports.includes(port)) ports.push(port);
  }
  const start = (): Promise<Running> => Running.start(classPath, directory, ports);
  let running: Running = await start();
  const nameNodes = ports.filter((_, index) => index % 2 === 0).map((port) => `127.0.0.1:${port}`);
  return {
    url: `webhdfs://${hdfsUser}@${nameNodes.join(',')}`,
    nameNodes,
    command: (line) => running.command(line),
    kill: () => running.kill(),
    async restart() {
      await running.kill();
      running = await start();
    },
    stop: () => running.stop(),
  };
}

class Running {
  readonly #process: ChildProcess;
  readonly #gone: Promise<void>;
  readonly #waiting: ((line: string) => void)[] = [];

  private constructor(process: ChildProcess) {
    this.#process = process;
    this.#gone = new Promise((resolve) => {
      process.once('exit', () => {
        for (const answer of this.#waiting.splice(0)) answer('FAILED: the server ended');
        resolve();
      });
    });
    process.stdin!.on('error', () => {}); // it ended: said by #gone
    createInterface({ input: process.stdout! }).on('line', (line) => {
      if (/^(READY|OK|FAILED)/.test(line)) this.#waiting.shift()?.(line);
    });
  }

  static async start(
    classPath: string,
    directory: string,
    ports: readonly number[],
  ): Promise<Running> {
    mkdirSync(directory, { recursive: true });
    // What a start that broke off left behind cannot be started again.
    if (!isFormatted(directory)) {
      rmSync(directory, { recursive: true });
      mkdirSync(directory);
    }
    const log = join(directory, 'server.log');
    const logFile = openSync(log, 'a');
    const args = ['-Xmx384m', '-cp', classPath, 'MiniHdfs', directory, ...ports.map(String)];
    const child = spawn('java', args, {
      cwd: directory,
      env: { ...process.env, HADOOP_USER_NAME: hdfsUser },
      // Not through a pipe: one that nobody empties, as in a test that waits, stops the server.
      stdio: ['pipe', 'pipe', logFile],
    });
    closeSync(logFile);
    const running = new Running(child);
    const failed = new Promise<never>((_, reject) => child.once('error', reject));
    failed.catch(() => {}); // looked at below, or not at all
    try {
      const said = await Promise.race([running.#answer(START_TIMEOUT_MS), failed]);
      if (said !== 'READY') throw new Error(said);
    } catch (error) {
      child.kill('SIGKILL');
      throw new Error(`HDFS did not start; its log is ${log}`, { cause: error });
    }
    return running;
  }

  async command(line: string): Promise<void> {
    const answer = this.#answer(COMMAND_TIMEOUT_MS);
    this.#process.stdin!.write(`${line}\n`);
    const said = await answer;
    if (said !== 'OK') throw new Error(`${line}: ${said}`);
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#gone;
  }

  async stop(): Promise<void> {
    this.#process.stdin!.end();
    await this.#gone;
  }

  #answer(timeoutMs: number): Promise<string> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(`FAILED: no answer in ${timeoutMs} ms`), timeoutMs);
      this.#waiting.push((line) => {
        clearTimeout(timer);
        resolve(line);
      });
    });
  }
}

function isFormatted(directory: string): boolean {
  try {
    readFileSync(join(directory, 'formatted'));
    return true;
  } catch {
    return false;
  }
}
