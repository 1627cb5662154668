// A deliberate bug of the engine, put into a source text when it is loaded, never on disk.

/** One change of one file. */
export interface Edit {
  /** Below `packages/`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A bug that the campaign has to find. */
export interface Mutant {
  readonly name: string;
  /** What goes wrong, and which invariant of which file forbids it. */
  readonly breaks: string;
  /** Several where one rule is kept by more than one place. */
  readonly edits: readonly Edit[];
  /** Jobs that are likely to show it; they are tried first, then all of them. */
  readonly jobs?: readonly string[];
}

/**
 * Puts the edits of a mutant that are for this file into its text.
 *
 * @param file below `packages/`
 * @throws if something to find is not there exactly once: the engine has changed, the list has not
 */
export function mutate(mutant: Mutant, file: string, text: string): string {
  let mutated = text;
  for (const edit of mutant.edits) {
    if (edit.file !== file) continue;
    const found = mutated.split(edit.find).length - 1;
    if (found !== 1) {
      throw new Error(`mutant ${mutant.name}: "${edit.find}" is ${found} times in ${file}`);
    }
    mutated = mutated.replace(edit.find, () => edit.replace);
  }
  return mutated;
}
