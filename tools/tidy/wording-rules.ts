import { isPackageSource, isTypeScript, type SourceFile } from './repository.ts';

// Words are put together here, so that this file does not offend against its own rules.
const leftOver = new RegExp(`\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'HA' + 'CK'].join('|')})\\b`);
const typeHole = new RegExp(`\\bas ${'any'}\\b|:\\s*${'any'}\\b|<${'any'}>|\\b${'any'}\\[\\]`);
const silencer = new RegExp(`@ts-(?:${'ignore'}|${'nocheck'}|${'expect-error'})`);
const vagueName = /(?:^|\/)(?:utils?|helpers?|common|types|misc|shared)(?:\.test)?\.tsx?$/;

/** @returns one line per file whose name says nothing */
export function fileNameOffenders(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    if (!isTypeScript(file)) return [];
    if (vagueName.test(file.path)) return [`${file.path}: name the idea it holds`];
    const name = file.path.split('/').at(-1)!;
    return /^[a-z0-9-]+(?:\.[a-z-]+)*\.tsx?$/.test(name) ? [] : [`${file.path}: not kebab-case`];
  });
}

/** @returns one line per note to oneself left in a source */
export function leftOverOffenders(files: readonly SourceFile[]): string[] {
  return files.filter(isTypeScript).flatMap((file) => matchingLines(file, file.text, leftOver));
}

/**
 * Type tests may expect errors, so comments that silence the compiler are allowed in test/types.
 *
 * @returns one line per hole in the types
 */
export function typeHoleOffenders(files: readonly SourceFile[]): string[] {
  return files
    .filter(isTypeScript)
    .flatMap((file) => [
      ...matchingLines(file, file.code, typeHole),
      ...(file.path.startsWith('test/types/') ? [] : matchingLines(file, file.text, silencer)),
    ]);
}

const machineFolders = ['wo' + 'rk', 'fa' + 'rm', 'ro' + 'ot', 'ho' + 'me/[a-z]+'];
const machinePath = new RegExp(
  [
    `(?:^|[^A-Za-z.])/(?:${machineFolders.join('|')})/`,
    'https?://[a-z0-9.-]*(?:registry|maven|pypi|packages?|mirror)[a-z0-9.-]*/',
  ].join('|'),
);

/** @returns one line per path of a machine or host of a registry */
export function machinePathOffenders(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => matchingLines(file, file.text, machinePath));
}

const declaration = new RegExp(
  '^export (?:default )?(?:declare |abstract |async )*' +
    '(function\\*?|class|interface|type|const|let) ([\\w$]+)',
);

/**
 * A docstring stands right before the declaration. Of overloads, and of constants that stand line
 * by line in one group, the first has it.
 *
 * @returns one line per exported declaration without
 */
export function undocumentedExports(files: readonly SourceFile[]): string[] {
  const offenders: string[] = [];
  for (const file of files.filter(isPackageSource)) {
    const lines = file.text.split('\n');
    let previous = '';
    let groupEnd = -1;
    for (const [index, line] of lines.entries()) {
      const match = declaration.exec(line);
      if (match === null) continue;
      const [, kind, name] = match;
      const isInGroup = kind === 'const' && groupEnd === index - 1;
      if (!endsDocstring(lines, index - 1) && name !== previous && !isInGroup) {
        offenders.push(`${file.path}:${index + 1}: ${kind} ${name}`);
      }
      previous = kind === 'function' ? name! : '';
      groupEnd = kind === 'const' && line.endsWith(';') ? index : -1;
    }
  }
  return offenders;
}

function endsDocstring(lines: readonly string[], index: number): boolean {
  if (!lines[index]?.trimEnd().endsWith('*/')) return false;
  let at = index;
  while (at > 0 && !lines[at]!.includes('/*')) at--;
  return lines[at]!.trimStart().startsWith('/**');
}

function matchingLines(file: SourceFile, text: string, pattern: RegExp): string[] {
  const shown = file.text.split('\n');
  return text.split('\n').flatMap((line, index) => {
    if (!pattern.test(line)) return [];
    return [`${file.path}:${index + 1}: ${shown[index]!.trim().slice(0, 120)}`];
  });
}
