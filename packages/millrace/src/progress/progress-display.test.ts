import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeCheckpoint, fakeMetrics } from '../../test/fake-execution.ts';
import { jsonDisplay, lineDisplay, liveDisplay } from './progress-display.ts';

function recordingTerminal() {
  const written = { out: '', error: '' };
  let announce = (): void => {};
  return {
    written,
    announce: () => announce(),
    isInteractive: true,
    columns: 80,
    outTaken: async () => true,
    out(text: string) {
      written.out += text;
    },
    error(text: string) {
      written.error += text;
    },
    onOutput(listener: () => void) {
      announce = listener;
      return () => {
        announce = () => {};
      };
    },
  };
}

test('liveDisplay redraws in place and leaves the screen to what the job prints', () => {
  const terminal = recordingTerminal();
  const display = liveDisplay(terminal, 'j', 0);
  display.onEvent({ kind: 'status', status: 'running' }, 1_000);
  assert.equal(terminal.written.error, 'j  running  1.0 s\nno checkpoint yet\n');
  display.onMetrics([], 2_000);
  const redrawn = '\r\x1b[2A\x1b[Jj  running  2.0 s\nno checkpoint yet\n';
  assert.ok(terminal.written.error.endsWith(redrawn));
  terminal.announce();
  assert.ok(terminal.written.error.endsWith('\r\x1b[2A\x1b[J'));
  display.onMetrics([], 3_000);
  assert.ok(terminal.written.error.endsWith('\x1b[Jj  running  3.0 s\nno checkpoint yet\n'));
});

test('liveDisplay keeps the last drawing at the end', () => {
  const terminal = recordingTerminal();
  const display = liveDisplay(terminal, 'j', 0);
  display.onMetrics([], 1_000);
  display.end();
  display.say('bye');
  assert.ok(terminal.written.error.endsWith('no checkpoint yet\nbye\n'));
});

test('lineDisplay writes a line per event with its time', () => {
  const terminal = recordingTerminal();
  const display = lineDisplay(terminal, 'j', { quiet: false });
  display.onEvent({ kind: 'checkpointCompleted', checkpoint: fakeCheckpoint() }, 0);
  display.onMetrics([fakeMetrics()], 1);
  assert.equal(
    terminal.written.error,
    '1970-01-01T00:00:00.000Z j: checkpoint 7 complete in 45 ms, 1.2 kB\n',
  );
});

test('lineDisplay in quiet shows failures only', () => {
  const terminal = recordingTerminal();
  const display = lineDisplay(terminal, 'j', { quiet: true });
  display.onEvent({ kind: 'status', status: 'running' }, 0);
  display.onEvent({ kind: 'failure', error: new Error('no'), restartInMs: 1_000 }, 0);
  assert.match(terminal.written.error, /^\S+ j: failure: no; restart in 1.0 s\n$/);
});

test('jsonDisplay writes one JSON object per event', () => {
  const terminal = recordingTerminal();
  const display = jsonDisplay(terminal, 'j');
  display.onEvent({ kind: 'failure', error: new Error('no'), restartInMs: null }, 5);
  display.onMetrics([fakeMetrics()], 6);
  display.say('not for machines');
  const [failure, metrics] = terminal.written.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(failure.event, 'failure');
  assert.equal(failure.error.message, 'no');
  assert.equal(failure.atMs, 5);
  assert.equal(metrics.operators[0].watermarkMs, null);
  assert.equal(terminal.written.error, '');
});
