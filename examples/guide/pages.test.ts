// Goal: what pages of the guide show is what runs here. Method: each block of TypeScript stands in
// the example of the same name, word for word and in order.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const guide = join(import.meta.dirname, '..', '..', 'docs', 'guide');

for (const name of ['check-sink', 'simulate']) {
  test(`docs/guide/${name}.md shows the example that runs`, () => {
    const page = readFileSync(join(guide, `${name}.md`), 'utf8');
    const blocks = [...page.matchAll(/^```(?:ts|typescript)\n([\s\S]*?)^```/gm)].map(
      (match) => match[1]!,
    );
    assert.ok(blocks.length > 0);
    const example = readFileSync(join(import.meta.dirname, `${name}.test.ts`), 'utf8');
    const [, code = ''] = example.split('(pages.test.ts compares them).\n');
    assert.equal(blocks.map((block) => block.trim()).join('\n\n'), code.trim());
  });
}
