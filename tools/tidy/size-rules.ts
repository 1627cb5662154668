import { isTest, isTypeScript, type SourceFile } from './repository.ts';

const maxLines = 700;
const maxTestLines = 1_000;
const maxFunctionLines = 70;
const maxColumns = 100;

/** @returns one line per file over the hard limit */
export function fileSizeOffenders(files: readonly SourceFile[]): string[] {
  return files.filter(isTypeScript).flatMap((file) => {
    const limit = isTest(file) ? maxTestLines : maxLines;
    const lines = lineCount(file);
    return lines > limit ? [`${file.path}: ${lines} lines, limit ${limit}`] : [];
  });
}

/** The middle one of the files' lengths in lines; 0 without files. */
export function medianLines(files: readonly SourceFile[]): number {
  const lengths = files.map(lineCount).sort((a, b) => a - b);
  return lengths[lengths.length >> 1] ?? 0;
}

/** @returns one line per line of TypeScript that is too long */
export function lineLengthOffenders(files: readonly SourceFile[]): string[] {
  return files.filter(isTypeScript).flatMap((file) =>
    file.text.split('\n').flatMap((line, index) => {
      const columns = [...line].length;
      return columns > maxColumns ? [`${file.path}:${index + 1}: ${columns} columns`] : [];
    }),
  );
}

/**
 * Functions by indentation: in formatted code a body ends at the first line of the same
 * indentation that begins with `}`. `describe` groups are no functions in this sense.
 *
 * @returns one line per function that is too long, its head to its closing brace
 */
export function functionLengthOffenders(files: readonly SourceFile[]): string[] {
  const offenders: string[] = [];
  for (const file of files.filter(isTypeScript)) {
    const lines = file.code.split('\n');
    for (let index = 0; index < lines.length; index++) {
      const head = functionHead(lines, index);
      if (head === null) continue;
      const end = closingLine(lines, index);
      const length = end - head + 1;
      if (length <= maxFunctionLines) continue;
      const text = file.text.split('\n')[head]!.trim();
      offenders.push(`${file.path}:${head + 1}: ${length} lines: ${text}`);
    }
  }
  return offenders;
}

const statement = /^\s*(?:\} )?(?:if|for|while|switch|catch|else|do|try|with|finally)\b/;
const notAFunction = /^\s*(?:export |declare |abstract |default )*(?:class|interface|type)\b/;

/** The line a function begins in whose body opens at the end of line `index`; null: none does. */
function functionHead(lines: readonly string[], index: number): number | null {
  const line = lines[index]!;
  if (!/\{\s*$/.test(line)) return null;
  const indent = indentOf(line);
  let head = index;
  if (/^\s*\)/.test(line)) {
    do head--;
    while (head > 0 && (lines[head]!.trim() === '' || indentOf(lines[head]!) > indent));
  }
  const first = lines[head]!;
  if (statement.test(first) || notAFunction.test(first)) return null;
  if (/\b(?:describe|suite)\(/.test(first)) return null;
  if (/=>\s*\{\s*$/.test(line)) return head;
  if (/\bfunction\b/.test(first)) return head;
  const method = /^\s*(?:[a-z]+ )*\*?\s*(?:#?[\w$]+|\[[^\]]+\])\??(?:<[^(]*>)?\(/;
  return method.test(first) && /\)(?::.*)?\s*\{\s*$/.test(line) ? head : null;
}

function closingLine(lines: readonly string[], index: number): number {
  const indent = indentOf(lines[index]!);
  for (let at = index + 1; at < lines.length; at++) {
    const line = lines[at]!;
    if (line.trim() !== '' && indentOf(line) <= indent && /^\s*\}/.test(line)) return at;
  }
  return lines.length - 1;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function lineCount(file: SourceFile): number {
  return file.text.split('\n').length - (file.text.endsWith('\n') ? 1 : 0);
}
