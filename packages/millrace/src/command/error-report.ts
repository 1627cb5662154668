/** How much a report says. */
export interface ErrorReportOptions {
  /** Adds the stack of the innermost cause. */
  readonly withStack?: boolean;
}

/**
 * An error for people: message, where, the chain of causes, what to do, and the code to look up.
 *
 *     error: operator "totals" (subtask 0) failed: amount is not a number
 *       where: operatorUid totals, subtaskIndex 0; src/orders.ts:12:9
 *       cause: amount is not a number
 *       hint: ...
 *       code: USER_FUNCTION_FAILED (npx millrace help errors USER_FUNCTION_FAILED)
 *
 * Reads errors by their members and not by class: the job may bring its own copy of the engine.
 */
export function errorReport(error: unknown, options: ErrorReportOptions = {}): string {
  const chain = causes(error);
  const lines = [`error: ${messageOf(chain[0])}`];
  const where = [details(chain[0]), codeLocation(error)].filter((part) => part !== '');
  if (where.length > 0) lines.push(`  where: ${where.join('; ')}`);
  for (const cause of chain.slice(1)) lines.push(`  cause: ${labelled(cause)}`);
  const hints = new Set(chain.map((one) => text(one, 'hint')).filter((hint) => hint !== ''));
  for (const hint of hints) lines.push(`  hint: ${hint}`);
  const code = text(chain[0], 'code');
  if (code !== '') {
    const isOurs = text(chain[0], 'domain') !== '';
    lines.push(`  code: ${code}${isOurs ? ` (npx millrace help errors ${code})` : ''}`);
  }
  const innermost = chain.at(-1);
  if (options.withStack && innermost instanceof Error && innermost.stack !== undefined) {
    lines.push(innermost.stack.replace(/^/gm, '    '));
  }
  return `${lines.join('\n')}\n`;
}

/** An error as data, for `--json` and the control socket. */
export interface ErrorData {
  readonly message: string;
  readonly code: string;
  readonly domain: string;
  readonly hint: string;
  readonly causes: readonly string[];
  /** File, line and column in the user's own code. */
  readonly location: string;
}

/** @returns the facts of an error; what it does not have is an empty text */
export function errorData(error: unknown): ErrorData {
  const chain = causes(error);
  return {
    message: messageOf(error),
    code: text(error, 'code'),
    domain: text(error, 'domain'),
    hint: chain.map((one) => text(one, 'hint')).find((hint) => hint !== '') ?? '',
    causes: chain.slice(1).map(labelled),
    location: codeLocation(error),
  };
}

function causes(error: unknown): unknown[] {
  const chain: unknown[] = [error];
  for (;;) {
    const last = chain.at(-1);
    if (!(last instanceof Error) || last.cause === undefined || chain.includes(last.cause)) {
      return chain;
    }
    chain.push(last.cause);
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? error.name : error.message;
}

function labelled(error: unknown): string {
  const code = text(error, 'code');
  const name = error instanceof Error && error.name !== 'Error' ? error.name : '';
  const label = code === '' ? name : code;
  return label === '' ? messageOf(error) : `${label}: ${messageOf(error)}`;
}

function text(error: unknown, member: 'code' | 'domain' | 'hint'): string {
  const value = error instanceof Error ? Reflect.get(error, member) : undefined;
  return typeof value === 'string' ? value : '';
}

function details(error: unknown): string {
  const facts: unknown = error instanceof Error ? Reflect.get(error, 'details') : undefined;
  if (typeof facts !== 'object' || facts === null) return '';
  return (
    Object.entries(facts)
      // What is true or false, and names of methods, are for programs; people have the message.
      .filter(([name]) => name !== 'operation')
      .filter(
        ([, value]) => typeof value === 'number' || (typeof value === 'string' && value !== ''),
      )
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')
  );
}

/** The first line of the innermost cause's stack that is neither Node's nor the engine's. */
export function codeLocation(failure: unknown): string {
  const error = causes(failure).at(-1);
  if (!(error instanceof Error) || error.stack === undefined) return '';
  for (const line of error.stack.split('\n')) {
    const place = /^\s+at (?:.*\()?(?:file:\/\/)?(\/?[^()\s][^()]*:\d+:\d+)\)?$/.exec(line)?.[1];
    if (place === undefined || /^node:|\/node_modules\/|millrace[^/]*\/(src|dist)\//.test(place)) {
      continue;
    }
    if (/\/packages\/(core|connectors|millrace|testing)\//.test(place)) continue;
    return place;
  }
  return '';
}
