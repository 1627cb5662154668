// What a TypeScript text says once its comments, strings and regular expressions are blanked. A
// scanner, not a parser: TypeScript 7 offers no compiler API, and the rules need no more than this.

const wordBeforeRegex = new Set(['return', 'typeof', 'case', 'in', 'of', 'void', 'delete', 'else']);

/**
 * Blanks everything that is not code, character by character, so that lines and columns stay.
 * The quotes of strings stay too. Code inside `${}` of a template stays.
 *
 * Cost: O(length).
 */
export function codeOnly(text: string): string {
  const out: string[] = [];
  const templateDepths: number[] = [];
  let depth = 0;
  let at = 0;
  const copy = (length: number): void => {
    out.push(text.slice(at, at + length));
    at += length;
  };
  const blankTo = (end: number): void => {
    out.push(text.slice(at, end).replace(/[^\n]/g, ' '));
    at = end;
  };
  while (at < text.length) {
    const char = text[at]!;
    const pair = text.slice(at, at + 2);
    if (pair === '//') blankTo(endOf(text, '\n', at));
    else if (pair === '/*') blankTo(Math.min(endOf(text, '*/', at + 2) + 2, text.length));
    else if (char === "'" || char === '"') {
      copy(1);
      blankTo(endOfQuoted(text, at, char));
      copy(1);
    } else if (char === '`' || (char === '}' && templateDepths.at(-1) === depth)) {
      if (char === '}') templateDepths.pop();
      copy(1);
      const end = endOfTemplatePart(text, at);
      blankTo(end);
      if (text[end] === '$') {
        copy(2);
        templateDepths.push(depth);
      } else copy(1);
    } else if (char === '/' && regexMayBegin(out)) {
      copy(1);
      blankTo(endOfRegex(text, at));
      copy(1);
    } else {
      if (char === '{') depth++;
      if (char === '}') depth--;
      copy(1);
    }
  }
  return out.join('');
}

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length : found;
}

function endOfQuoted(text: string, from: number, quote: string): number {
  let at = from;
  while (at < text.length && text[at] !== quote && text[at] !== '\n') {
    at += text[at] === '\\' ? 2 : 1;
  }
  return at;
}

function endOfTemplatePart(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '`' && text.slice(at, at + 2) !== '${') {
    at += text[at] === '\\' ? 2 : 1;
  }
  return at;
}

function endOfRegex(text: string, from: number): number {
  let inClass = false;
  let at = from;
  while (at < text.length && text[at] !== '\n' && (inClass || text[at] !== '/')) {
    if (text[at] === '[') inClass = true;
    if (text[at] === ']') inClass = false;
    at += text[at] === '\\' ? 2 : 1;
  }
  return at;
}

function regexMayBegin(out: readonly string[]): boolean {
  const before = out.slice(-40).join('').trimEnd();
  if (before === '' || /[(,=:[!&|?{;+\-*%<>~^]$/.test(before)) return true;
  const word = /([A-Za-z]+)$/.exec(before)?.[1];
  return word !== undefined && wordBeforeRegex.has(word);
}
