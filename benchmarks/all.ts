// `npm run bench`: every benchmark, one after the other, each in a process of its own. Tables go to
// standard error, one line of JSON per benchmark to standard output.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const folder = import.meta.dirname;

for (const name of globSync('**/*.bench.ts', { cwd: folder }).sort()) {
  process.stderr.write(`\n${name}\n`);
  const { status } = spawnSync(process.execPath, [join(folder, name)], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
