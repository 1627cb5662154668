import { join } from 'node:path';
import type { FlinkInstallation } from './install.ts';

/** What one JVM with all of Flink may use. */
export interface FlinkMemory {
  readonly heapBytes: number;
  /** RocksDB's share: block cache and write buffers. */
  readonly managedBytes: number;
}

const MB = 2 ** 20;
/** Of a JVM with Flink: classes, compiled code, threads, network buffers. Measured. */
const JVM_BYTES = 200 * MB;
const HEAP_BYTES = 192 * MB;
const MANAGED_BYTES_MIN = 64 * MB;

/**
 * Divides what the other side was seen to use: a heap that is enough for a job without state in it,
 * the rest to RocksDB. Never less than Flink can live with, even if that is more.
 */
export function flinkMemory(totalBytes: number): FlinkMemory {
  const managedBytes = Math.max(MANAGED_BYTES_MIN, totalBytes - HEAP_BYTES - JVM_BYTES);
  return { heapBytes: HEAP_BYTES, managedBytes: Math.round(managedBytes) };
}

// What Flink's own start scripts open, for Java 17 (`env.java.opts.all` of its configuration).
const OPENED = [
  ...['java.lang', 'java.net', 'java.io', 'java.nio', 'java.text', 'java.time', 'java.util'],
  ...['java.lang.reflect', 'java.util.concurrent', 'java.util.concurrent.atomic'],
  ...['java.util.concurrent.locks', 'sun.nio.ch'],
].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);
const EXPORTED = ['--add-exports=java.base/sun.net.util=ALL-UNNAMED'];

/** One JVM with Flink on its class path. @param mainClass one of ours, or a full name */
export function flinkCommand(
  { classPath }: FlinkInstallation,
  mainClass: string,
  { heapBytes }: Pick<FlinkMemory, 'heapBytes'>,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  const heap = `${Math.round(heapBytes / MB)}m`;
  const logging = join(import.meta.dirname, 'src/main/resources/log4j2.properties');
  const log = [`-Dlog4j2.configurationFile=${logging}`, `-Dlog4j.configurationFile=${logging}`];
  const flags = [...log, ...OPENED, ...EXPORTED, `-Xms${heap}`, `-Xmx${heap}`];
  const name = mainClass.includes('.') ? mainClass : `bench.${mainClass}`;
  return { command: 'java', args: [...flags, '-cp', classPath, name, ...args] };
}
