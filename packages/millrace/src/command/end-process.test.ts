import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const module = pathToFileURL(join(import.meta.dirname, 'end-process.ts')).href;

function codeOf(before: string): number | null {
  const script = `import { open } from 'node:fs/promises';
    import { endProcess } from ${JSON.stringify(module)};
    ${before}
    setTimeout(() => endProcess(130), 50);`;
  const args = ['--input-type=module', '--eval', script];
  return spawnSync(process.execPath, args, { timeout: 20_000, killSignal: 'SIGKILL' }).status;
}

// process.exit joined the thread that hung in the call: a second Ctrl-C did not end the process.
test('endProcess ends a process that hangs in a call on a file', (t) => {
  if (process.platform === 'win32') return t.skip('there are no named pipes in the file system');
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  assert.equal(codeOf(`open(${JSON.stringify(pipe)}, 'r');`), 130); // waits for a writer, for ever
});

test('endProcess ends any other process with the code', () => {
  assert.equal(codeOf(''), 130);
});
