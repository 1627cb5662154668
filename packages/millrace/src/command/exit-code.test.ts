import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { StreamError } from '@millrace/core';
import { UsageError } from './command-errors.ts';
import { exitCode, exitCodeByErrorCode, exitCodeOf } from './exit-code.ts';
import { packageRoot } from './package-version.ts';

class Fenced extends StreamError {
  static override readonly code = 'JOB_FENCED';
}

test('exitCodeOf takes the first code in the chain of causes that has a number', () => {
  const fenced = new Fenced('taken over', {});
  assert.equal(exitCodeOf(fenced), exitCode.fenced);
  assert.equal(exitCodeOf(new Error('failed', { cause: fenced })), exitCode.fenced);
  assert.equal(exitCodeOf(new UsageError('x', { command: '' }, { cause: fenced })), exitCode.usage);
});

test('exitCodeOf is 1 for everything else, also in a circle of causes', () => {
  const circle = new Error('round');
  circle.cause = circle;
  for (const error of [circle, new Error('x'), 'text', undefined]) {
    assert.equal(exitCodeOf(error), exitCode.failed);
  }
});

test('every error code with an exit code of its own is in the catalogue', () => {
  const catalogue = readFileSync(join(packageRoot, '../../docs/reference/errors.md'), 'utf8');
  for (const code of exitCodeByErrorCode.keys()) {
    assert.match(catalogue, new RegExp(`^## ${code}$`, 'm'));
  }
});
