import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { FakeDisk } from '../../test/fake-disk.ts';
import { fakeEnvironment } from '../../test/fake-environment.ts';
import { SourceDriver } from '../../test/source-driver.ts';
import { backoffMs } from './backoff.ts';
import { socketText } from './socket-text.ts';

async function serve(onConnection: (socket: Socket) => void): Promise<[Server, number]> {
  const server = createServer(onConnection);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return [server, (server.address() as AddressInfo).port];
}

test('socketText reads lines until the other side closes, an open last one too', async () => {
  const [server, port] = await serve((socket) => {
    socket.write('a\r\nZür');
    setImmediate(() => socket.end('ich\nlast'));
  });
  const source = socketText({ host: '127.0.0.1', port, onClose: 'end' });
  assert.deepEqual([source.delivery, source.boundedness], ['at-least-once', 'bounded']);
  const driver = new SourceDriver(source, fakeEnvironment(new FakeDisk()), 2);
  assert.deepEqual(await driver.drain(2), ['a', 'Zürich', 'last']);
  await driver.close();
  server.close();
});

test('socketText connects again after the wait', async () => {
  let connections = 0;
  const [server, port] = await serve((socket) => socket.end(`${++connections}\n`));
  const environment = fakeEnvironment(new FakeDisk());
  const driver = new SourceDriver(socketText({ host: '127.0.0.1', port }), environment);
  const records: string[] = [];
  while (records.length < 3) {
    records.push(...(await driver.step(10))!);
    environment.advance(50);
  }
  assert.deepEqual(records, ['1', '2', '3']);
  assert.match(environment.messages[0]!, /^warn: lost 127\.0\.0\.1/);
  await driver.close();
  server.close();
});

test('socketText fails if it may not connect again and never could', async () => {
  const [server, port] = await serve(() => {});
  server.close();
  await once(server, 'close');
  const source = socketText({ host: '127.0.0.1', port, onClose: 'end' });
  const driver = new SourceDriver(source, fakeEnvironment(new FakeDisk()));
  await assert.rejects(driver.drain(), { code: 'SOCKET_CONNECT_FAILED' });
});

test('socketText holds a bounded amount back and loses nothing', async () => {
  const count = 60_000;
  const [server, port] = await serve((socket) => {
    socket.end(Array.from({ length: count }, (_, i) => `${i}-${'x'.repeat(90)}\n`).join(''));
  });
  const source = socketText({ host: '127.0.0.1', port, onClose: 'end' });
  const driver = new SourceDriver(source, fakeEnvironment(new FakeDisk()));
  const records = await driver.drain(1_000);
  assert.equal(records.length, count);
  assert.ok(records.every((text, i) => text.startsWith(`${i}-`)));
  server.close();
});

test('backoffMs doubles up to its limit', () => {
  const waits = [0, 1, 2, 3, 1_000].map((n) => backoffMs({ initialMs: 100, maxMs: 500 }, n));
  assert.deepEqual(waits, [100, 200, 400, 500, 500]);
});
