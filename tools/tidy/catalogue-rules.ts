import { isPackageSource, type SourceFile } from './repository.ts';

/** An error class of ours and its code. */
export interface ErrorClass {
  readonly name: string;
  readonly code: string | null;
  readonly isAbstract: boolean;
  readonly where: string;
}

/** Classes of packages that extend `StreamError`, directly or through one another. */
export function errorClasses(files: readonly SourceFile[]): ErrorClass[] {
  const classes: (ErrorClass & { readonly base: string })[] = [];
  for (const file of files.filter(isPackageSource)) {
    const pattern = /^(?:export )?(abstract )?class (\w+)(?:<[^{]*?>)?\s+extends (\w+)/gm;
    for (const match of file.code.matchAll(pattern)) {
      const body = file.text.slice(match.index, file.text.indexOf('\n}\n', match.index));
      classes.push({
        name: match[2]!,
        base: match[3]!,
        code: /static override readonly code(?::\s*string)? = '([^']+)'/.exec(body)?.[1] ?? null,
        isAbstract: match[1] !== undefined,
        where: `${file.path}:${file.code.slice(0, match.index).split('\n').length}`,
      });
    }
  }
  const ours = new Set(['StreamError']);
  for (let grew = true; grew; ) {
    const found = classes.filter((one) => ours.has(one.base) && !ours.has(one.name));
    for (const { name } of found) ours.add(name);
    grew = found.length > 0;
  }
  return classes.filter(({ name }) => ours.has(name));
}

/** @returns one line per disagreement between the error classes and docs/reference/errors.md */
export function catalogueOffenders(
  classes: readonly ErrorClass[],
  catalogue: string | undefined,
): string[] {
  const offenders: string[] = [];
  const thrown = new Map<string, ErrorClass>();
  for (const one of classes) {
    if (one.isAbstract) continue;
    if (one.code === null) {
      offenders.push(`${one.where}: ${one.name} has no code of its own`);
      continue;
    }
    const other = thrown.get(one.code);
    if (other !== undefined) {
      offenders.push(`${one.where}: ${one.code} is also the code of ${other.name}`);
    }
    thrown.set(one.code, one);
  }
  const documented = [...(catalogue ?? '').matchAll(/^## `?([A-Z][A-Z0-9_]+)`?\s*$/gm)].map(
    (match) => match[1]!,
  );
  for (const [code, { where }] of thrown) {
    if (!documented.includes(code)) offenders.push(`${where}: ${code} is not in errors.md`);
  }
  for (const [index, code] of documented.entries()) {
    if (!thrown.has(code)) offenders.push(`errors.md: no class has the code ${code}`);
    if (documented.indexOf(code) !== index) offenders.push(`errors.md: ${code} stands there twice`);
  }
  return offenders;
}
