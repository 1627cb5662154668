import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchmarkCache } from '../peers/flink/install.ts';
import { VisitsProcess } from './visits-process.ts';
import type { VisitsRunSpec } from './run-visits-job.ts';

const root = join(import.meta.dirname, '../..');

/**
 * The manifest of a checkpoint with all keys visited once. It is made once per number of keys and
 * format of the state, and kept in the cache of the benchmarks.
 */
export async function filledState(
  spec: Pick<VisitsRunSpec, 'keys' | 'rate' | 'memoryBytes'>,
): Promise<string> {
  const folder = join(benchmarkCache(), 'recovery', `${spec.keys}-${formatHash()}`);
  if (!existsSync(join(folder, 'ok'))) {
    process.stderr.write(`filling ${spec.keys} keys into ${folder}\n`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const filling = new VisitsProcess({
      ...spec,
      directory: folder,
      from: 'none',
      isFilling: true,
      origin: null,
      checkpointIntervalMs: 10_000,
      progressFile: join(folder, 'progress'),
    });
    await filling.event('filled', 1, 3_600_000);
    await filling.ended();
    writeFileSync(join(folder, 'ok'), '');
  }
  const manifest = globSync('*/chk-*/manifest.json', { cwd: folder }).at(-1);
  if (manifest === undefined) throw new Error(`no checkpoint in ${folder}`);
  return join(folder, manifest);
}

/** Changes whenever state may be stored otherwise than before. */
function formatHash(): string {
  const hash = createHash('sha256');
  for (const name of [
    'packages/core/src/state/run-format.ts',
    'packages/core/src/checkpoint/manifest.ts',
    'benchmarks/recovery/counted-visits.ts',
  ]) {
    hash.update(readFileSync(join(root, name)));
  }
  return hash.digest('hex').slice(0, 8);
}
