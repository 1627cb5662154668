import type { RestartStrategy } from '@millrace/core';
import { usage } from './arguments.ts';
import { parseDuration } from './duration.ts';

const syntaxes: ReadonlyMap<string, string> = new Map([
  ['none', 'none'],
  ['fixed', 'fixed:ATTEMPTS:DELAY, such as fixed:3:10s'],
  ['rate', 'rate:FAILURES:INTERVAL:DELAY, such as rate:5:10m:10s'],
  ['exponential', 'exponential[:INITIAL[:MAX]], such as exponential:1s:1m'],
]);

/**
 * Reads `--restart`:
 *
 *     none
 *     fixed:ATTEMPTS:DELAY              fixed:3:10s
 *     rate:FAILURES:INTERVAL:DELAY      rate:5:10m:10s
 *     exponential[:INITIAL[:MAX]]       exponential:1s:1m
 *
 * @throws UsageError
 */
export function parseRestart(text: string): RestartStrategy {
  const [kind, ...rest] = text.split(':');
  const wrong = (): never => {
    const syntax = syntaxes.get(kind!) ?? [...syntaxes.values()].join(', ');
    throw usage('run', `--restart does not understand "${text}"; write ${syntax}`);
  };
  const count = (value: string | undefined): number =>
    value !== undefined && /^\d+$/.test(value) ? Number(value) : wrong();
  const duration = (value: string | undefined): number =>
    (value === undefined ? null : parseDuration(value)) ?? wrong();

  if (kind === 'none' && rest.length === 0) return { kind: 'none' };
  if (kind === 'fixed' && rest.length === 2) {
    return { kind: 'fixedDelay', attempts: count(rest[0]), delayMs: duration(rest[1]) };
  }
  if (kind === 'rate' && rest.length === 3) {
    return {
      kind: 'failureRate',
      maxFailures: count(rest[0]),
      intervalMs: duration(rest[1]),
      delayMs: duration(rest[2]),
    };
  }
  if (kind === 'exponential' && rest.length <= 2) {
    return {
      kind: 'exponentialDelay',
      ...(rest[0] === undefined ? {} : { initialDelayMs: duration(rest[0]) }),
      ...(rest[1] === undefined ? {} : { maxDelayMs: duration(rest[1]) }),
    };
  }
  return wrong();
}
