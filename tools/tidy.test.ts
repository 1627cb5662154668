// The house rules as tests. Each walks the files that git knows and lists its offenders; a second
// one shows the rule an offender: finding nothing must not mean seeing nothing.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ambientOffenders } from './tidy/ambient-rules.ts';
import { catalogueOffenders, errorClasses } from './tidy/catalogue-rules.ts';
import { blockOffenders, codeBlocks } from './tidy/documentation-blocks.ts';
import {
  layerCycles,
  layerOffenders,
  packageImportOffenders,
  type Layers,
} from './tidy/layer-rules.ts';
import { isPackageSource, readRepository, root, sourceFile } from './tidy/repository.ts';
import {
  fileSizeOffenders,
  functionLengthOffenders,
  lineLengthOffenders,
  medianLines,
} from './tidy/size-rules.ts';
import { codeOnly } from './tidy/source-text.ts';
import {
  fileNameOffenders,
  leftOverOffenders,
  machinePathOffenders,
  typeHoleOffenders,
  undocumentedExports,
} from './tidy/wording-rules.ts';

const files = readRepository();
const layers: Layers = JSON.parse(readFileSync(join(root, 'layers.json'), 'utf8'));

function none(offenders: readonly string[], rule: string): void {
  assert.ok(offenders.length === 0, `${rule}:\n  ${offenders.join('\n  ')}`);
}

function declaredDependencies(): Map<string, Set<string>> {
  const declared = new Map<string, Set<string>>();
  for (const folder of readdirSync(join(root, 'packages'))) {
    const path = join(root, 'packages', folder, 'package.json');
    if (!existsSync(path)) continue;
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    declared.set(
      folder,
      new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })),
    );
  }
  return declared;
}

test('layers.json has no cycle', () => {
  none(layerCycles(layers), 'cycles in layers.json');
});

test('core imports only what layers.json allows', () => {
  none(layerOffenders(files, layers), 'imports against layers.json');
});

test('packages import each other by name, as declared', () => {
  none(packageImportOffenders(files, declaredDependencies()), 'imports between packages');
});

test('core and connectors have no runtime dependency on a third party', () => {
  const declared = declaredDependencies();
  const foreign = ['core', 'connectors'].flatMap((folder) =>
    [...(declared.get(folder) ?? [])].filter((name) => !name.startsWith('@millrace/')),
  );
  none(foreign, 'third-party dependencies');
});

test('clock, chance, disk, network and threads are touched only at the rim', () => {
  none(ambientOffenders(files), 'ambient calls (take them from Environment)');
});

test('files stay under their hard limit', (context) => {
  context.diagnostic(`median of package sources: ${medianLines(files.filter(isPackageSource))}`);
  none(fileSizeOffenders(files), 'files too long');
});

test('the median package source is at most 150 lines', () => {
  const median = medianLines(files.filter(isPackageSource));
  assert.ok(median <= 150, `median is ${median} lines`);
});

test('functions have at most 70 lines', () => {
  none(functionLengthOffenders(files), 'functions too long');
});

test('lines have at most 100 columns', () => {
  none(lineLengthOffenders(files), 'lines too long');
});

test('file names say what a file holds', () => {
  none(fileNameOffenders(files), 'file names');
});

test('no note to oneself is left in a source', () => {
  none(leftOverOffenders(files), 'left-overs');
});

test('types have no holes', () => {
  none(typeHoleOffenders(files), 'holes in the types');
});

test('error classes and docs/reference/errors.md name the same unique codes', () => {
  const catalogue = files.find(({ path }) => path === 'docs/reference/errors.md')?.text;
  none(catalogueOffenders(errorClasses(files), catalogue), 'error catalogue');
});

test('every exported declaration has a docstring', () => {
  none(undocumentedExports(files), 'exports without a docstring');
});

test('every ts block in docs/ and README type-checks', async () => {
  const pages = files.filter(({ path }) => /^docs\/.*\.md$|(?:^|\/)README\.md$/.test(path));
  none(await blockOffenders(pages.flatMap(codeBlocks)), 'code blocks');
});

test('no committed file names a path of a machine or the host of a registry', () => {
  none(machinePathOffenders(files), 'machine paths and registry hosts');
});

// The rules, shown an offender.

test('codeOnly blanks comments, strings, regular expressions and template text', () => {
  const text = 'a(/[\'"]/); // x\nb(`t $' + '{c({ d: \'}\' })} t`, "e"); /* y\n z */ f / g / h';
  const code = codeOnly(text);
  assert.equal(code.length, text.length);
  assert.deepEqual(code.match(/\w+/g), ['a', 'b', 'c', 'd', 'f', 'g', 'h']);
});

test('layer rules find a cycle, a forbidden import and a path into another package', () => {
  assert.deepEqual(layerCycles({ a: ['b'], b: ['a'] }), ['a -> b -> a']);
  const upward = sourceFile(
    'packages/core/src/base/x.ts',
    "import { y } from\n  '../task/y.ts';\n" +
      "import '../../../testing/src/z.ts';\nimport 'left-pad';f('import', 'x');",
  );
  assert.equal(layerOffenders([upward], layers).length, 2);
  assert.equal(packageImportOffenders([upward], new Map()).length, 2);
});

test('the ambient rule finds calls and modules, and not their names in comments or members', () => {
  const bad = `import { readFile } from 'node:fs/promises';
import { gzipSync, gunzip } from 'node:zlib';
const a = Date.now() + Math.random();
setTimeout(() => new Date(), performance.now());
await fetch(process.env.URL);`;
  const good = `import { crc32, gzipSync } from 'node:zlib';
// Date.now() is banned
clock.setTimeout(spec.process(new Date(5)), 'Math.random()');`;
  const path = 'packages/core/src/task/x.ts';
  assert.equal(ambientOffenders([sourceFile(path, bad)]).length, 9);
  assert.deepEqual(ambientOffenders([sourceFile(path, good)]), []);
  assert.deepEqual(ambientOffenders([sourceFile('packages/core/src/embedded/x.ts', bad)]), []);
});

test('size rules find long files, functions and lines', () => {
  const body = '  f();\n'.repeat(70);
  const cases: readonly (readonly [string, number])[] = [
    [`function a() {\n${body}}\n`, 1],
    [`export const b = (x: { y: 1 }): void => {\n${body}};\n`, 1],
    [`function c(\n  x: number,\n): { y: 1 } {\n${body}}\n`, 1],
    [`class D {\n  async *d(): Promise<{ e: 1 }> {\n${body.replaceAll('  ', '    ')}  }\n}\n`, 1],
    [`if (\n  x\n) {\n${body}}\n`, 0],
    [`class E {\n${body}}\n`, 0],
    [`function f() {\n${'  f();\n'.repeat(68)}}\n`, 0],
  ];
  for (const [text, found] of cases) {
    assert.equal(functionLengthOffenders([sourceFile('x.ts', text)]).length, found, text);
  }
  assert.equal(fileSizeOffenders([sourceFile('x.ts', '\n'.repeat(701))]).length, 1);
  assert.equal(fileSizeOffenders([sourceFile('x.test.ts', '\n'.repeat(701))]).length, 0);
  assert.equal(lineLengthOffenders([sourceFile('x.ts', `//${'é'.repeat(99)}`)]).length, 1);
});

test('wording rules find vague names, left-overs, holes, paths and missing docstrings', () => {
  assert.equal(
    fileNameOffenders([sourceFile('a/utils.ts', ''), sourceFile('aB.ts', '')]).length,
    2,
  );
  const word = ['FIX', 'ME'].join('');
  assert.equal(leftOverOffenders([sourceFile('a.ts', `// ${word} later`)]).length, 1);
  const hole = ['as', 'any'].join(' ');
  assert.equal(typeHoleOffenders([sourceFile('a.ts', `x(y ${hole});`)]).length, 1);
  const path = ['', 'root', 'x'].join('/');
  assert.equal(machinePathOffenders([sourceFile('a.md', `in ${path}`)]).length, 1);
  const source = `/** Says it. */\nexport const a = 1;\n\n/* No. */\nexport class B {}
/** A group. */\nexport const e = 1;\nexport const f = 2;\n\nexport const g = 3;
/** Once. */\nexport function c(): void;\nexport function c(x?: 1): void {}\n`;
  assert.deepEqual(undocumentedExports([sourceFile('packages/x/src/a.ts', source)]), [
    'packages/x/src/a.ts:5: class B',
    'packages/x/src/a.ts:10: const g',
  ]);
});

test('the catalogue rule finds missing, unknown and doubled codes', () => {
  const source = ['A', 'B', 'C'].map(
    (name) =>
      `export class ${name}Error extends StreamError<{
  a: 1;
}> {
  static override readonly code = '${name === 'C' ? 'A_FAILED' : `${name}_FAILED`}';
}\n`,
  );
  const classes = errorClasses([sourceFile('packages/x/src/a.ts', source.join(''))]);
  assert.equal(classes.length, 3);
  const offenders = catalogueOffenders(classes, '# Errors\n\n## A_FAILED\n\n## D_FAILED\n');
  assert.equal(offenders.length, 3, offenders.join('\n'));
});

test('code blocks are found with their line, and a wrong one fails at it', async () => {
  const page = sourceFile(
    'docs/x.md',
    '# X\n<!-- ts-setup\ndeclare const y: number;\n-->\n\n' +
      '```ts\nconst a = 1;\nconst z: string = y;\n```\n',
  );
  const blocks = codeBlocks(page);
  assert.deepEqual(
    blocks.map(({ line }) => line),
    [7],
  );
  const offenders = await blockOffenders(blocks);
  assert.match(offenders.join('\n'), /^docs\/x\.md:8: error TS2322/);
});
