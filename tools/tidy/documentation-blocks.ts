import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, type SourceFile } from './repository.ts';

/** A fenced block of TypeScript in a page. */
export interface CodeBlock {
  readonly path: string;
  /** Of the first line of code, from 1. */
  readonly line: number;
  readonly code: string;
  /** Code of `<!-- ts-setup ... -->` comments before it in the page: what the reader knows. */
  readonly setup: string;
}

/** Blocks that must type-check: those whose info string is exactly `ts`. */
export function codeBlocks(page: SourceFile): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const pattern = /<!-- ts-setup\n([\s\S]*?)-->|^```ts[ \t]*\n([\s\S]*?)^```/gm;
  let setup = '';
  for (const match of page.text.matchAll(pattern)) {
    if (match[1] !== undefined) setup += match[1];
    if (match[2] === undefined) continue;
    const line = page.text.slice(0, match.index).split('\n').length + 1;
    blocks.push({ path: page.path, line, code: match[2], setup });
  }
  return blocks;
}

/**
 * Type-checks blocks, each as a module of its own, in an ignored folder of the checkout: from there
 * imports of our packages resolve as in a user's project.
 *
 * @returns one line per error, with page and line
 */
export async function blockOffenders(blocks: readonly CodeBlock[]): Promise<string[]> {
  if (blocks.length === 0) return [];
  const folder = join(root, '.millrace', `documentation-blocks-${process.pid}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    for (const [index, block] of blocks.entries()) {
      const setup = block.setup === '' ? '' : block.setup;
      writeFileSync(join(folder, `block-${index}.ts`), `${setup}${block.code}\nexport {};\n`);
    }
    const config = {
      extends: '../../tsconfig.json',
      compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
      include: ['./*.ts'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    return located(await runCompiler(folder), blocks);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runCompiler(folder: string): Promise<string> {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  return new Promise((resolve) => {
    const options = { cwd: folder, maxBuffer: 16 * 1024 * 1024 };
    execFile(process.execPath, [compiler, '-p', '.', '--pretty', 'false'], options, (error, out) =>
      resolve(error === null ? '' : out || error.message),
    );
  });
}

/** Errors outside the blocks are left to the type check of the sources. */
function located(output: string, blocks: readonly CodeBlock[]): string[] {
  if (output === '') return [];
  const inBlocks = [...output.matchAll(/^block-(\d+)\.ts\((\d+),\d+\): (.*)$/gm)].map((match) => {
    const block = blocks[Number(match[1])]!;
    const line = Number(match[2]) - block.setup.split('\n').length + 1 + block.line - 1;
    return `${block.path}:${line}: ${match[3]}`;
  });
  const understood = /^[^\s(]+\(\d+,\d+\): /m.test(output);
  return inBlocks.length > 0 || understood ? inBlocks : [output];
}
