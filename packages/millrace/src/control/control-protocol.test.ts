import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineSplitter, operatorReports, readRequest } from './control-protocol.ts';
import { fakeMetrics } from '../../test/fake-execution.ts';

test('readRequest reads every command and fills in what may be left out', () => {
  const read = (request: object) => readRequest(JSON.stringify({ millrace: 1, id: 3, ...request }));
  for (const command of ['status', 'metrics', 'checkpoint', 'cancel']) {
    const request = { millrace: 1, id: 3, command };
    assert.deepEqual(read({ command, surplus: 1 }), { kind: 'request', request });
  }
  assert.deepEqual(read({ command: 'stop' }), {
    kind: 'request',
    request: { millrace: 1, id: 3, command: 'stop', drain: false, savepointDirectory: null },
  });
  assert.deepEqual(read({ command: 'savepoint', directory: '/s' }), {
    kind: 'request',
    request: { millrace: 1, id: 3, command: 'savepoint', directory: '/s' },
  });
});

test('readRequest refuses other versions, unknown commands and wrong members, with the id', () => {
  const cases: readonly (readonly [string, number | null, RegExp])[] = [
    ['{', null, /JSON object/],
    ['[]', null, /JSON object/],
    ['null', null, /JSON object/],
    ['{"millrace":2,"id":1,"command":"status"}', 1, /version 1, not 2/],
    ['{"millrace":1,"command":"status"}', null, /number as its id/],
    ['{"millrace":1,"id":4,"command":"explode"}', 4, /no command "explode"/],
    ['{"millrace":1,"id":4}', 4, /no command undefined/],
    ['{"millrace":1,"id":4,"command":"savepoint"}', 4, /needs a directory/],
    ['{"millrace":1,"id":4,"command":"stop","drain":"yes"}', 4, /true or false/],
    ['{"millrace":1,"id":4,"command":"stop","savepointDirectory":1}', 4, /text or null/],
  ];
  for (const [line, id, reason] of cases) {
    const read = readRequest(line);
    assert.equal(read.kind, 'refused', line);
    assert.ok(read.kind === 'refused' && read.id === id && reason.test(read.reason), line);
  }
});

test('LineSplitter puts lines together however they were cut', () => {
  const text = '{"a":1}\n\n{"b":2}\n{"c"';
  for (let size = 1; size <= text.length; size++) {
    const splitter = new LineSplitter();
    const lines: string[] = [];
    for (let at = 0; at < text.length; at += size) {
      lines.push(...splitter.push(text.slice(at, at + size)));
    }
    assert.deepEqual(lines, ['{"a":1}', '{"b":2}']);
    assert.equal(splitter.pendingLength, 4);
  }
});

test('operatorReports writes a missing watermark as null', () => {
  const reports = operatorReports([fakeMetrics(), fakeMetrics({ watermarkMs: 5 })]);
  assert.deepEqual(
    reports.map(({ watermarkMs }) => watermarkMs),
    [null, 5],
  );
});
