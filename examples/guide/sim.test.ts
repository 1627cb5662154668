// Goal: the command line of docs/guide/simulate.md finds what the page says, with the same words.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const millrace = join(import.meta.dirname, '..', '..', 'packages/millrace/bin/millrace.js');

test('millrace sim finds counts that are not in state, and a small case', () => {
  const args = [millrace, 'sim', 'forgetful.ts', '--input', 'sales', '--seed', '1'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  assert.equal(status, 1, stderr);
  assert.match(stdout, /2 times instead of 1: "berlin 1"/);
  assert.match(stdout, /--- smaller, after \d+ tries ---/);
  assert.match(stdout, /all processes are killed\n(?:.*\n)*again: millrace sim forgetful.ts/);
});
