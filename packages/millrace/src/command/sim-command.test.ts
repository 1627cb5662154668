// Goal: the command finds a job that keeps counts outside of its state, and passes one that does
// not. Method: real job files in a folder of their own, with the real testing package.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fakeContext } from '../../test/fake-context.ts';
import { simCommand } from './sim-command.ts';

// Beside this file, so that the jobs find the packages that they import.
const folder = mkdtempSync(join(import.meta.dirname, 'sim-test-'));
after(() => rmSync(folder, { recursive: true }));

mkdirSync(join(folder, 'sales'));
const sales = Array.from({ length: 150 }, (_, i) => JSON.stringify({ shop: `s${i % 3}` }));
writeFileSync(join(folder, 'sales', 'a.jsonl'), `${sales.join('\n')}\n`);

function writeJob(name: string, label: string): string {
  const file = join(folder, `${name}.ts`);
  writeFileSync(
    file,
    `import { fileSink, fileSource, jsonLines, linesOut } from '@millrace/connectors';
     import { job } from '@millrace/core';
     let count = 0;
     export default job('${name}', (flow) => {
       flow
         .from('sales', fileSource({ directory: '/sales', format: jsonLines() }))
         .map((sale) => { count++; return ${label}; })
         .to('out', fileSink({ directory: '/out', format: linesOut() }));
     });`,
  );
  return file;
}

test('sim passes a job whose output follows from its input', async (t) => {
  const context = fakeContext({ workingDirectory: folder });
  t.after(() => context.dispose());
  const file = writeJob('good', 'sale.shop');
  assert.equal(await simCommand(context, [file, '--input', 'sales', '--seeds', '3']), 0);
  assert.match(context.written.out, /seeds 1 to 3: each committed the same 150 records/);
});

test('sim tells what happened and finds a smaller case of a job with a variable', async (t) => {
  const context = fakeContext({ workingDirectory: folder });
  t.after(() => context.dispose());
  const file = writeJob('bad', 'String(count)');
  assert.equal(await simCommand(context, [file, '--input', 'sales', '--seed', '3']), 1);
  assert.match(context.written.out, /lost 1 times/);
  assert.match(context.written.out, /--- smaller, after \d+ tries ---/);
  assert.match(context.written.out, /again: millrace sim .*bad.ts --input sales --seed 3/);
});
