import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackgroundJob, Environment } from '@millrace/core/host';
import { crashProgramEverywhere, runSimulation } from './run-simulation.ts';
import { SimulationStuckError } from './simulation-errors.ts';
import { VirtualDisk } from './virtual-disk.ts';
import { VirtualEnvironment } from './virtual-environment.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

const sleep = (environment: Environment, ms: number): Promise<void> =>
  new Promise((resolve) => environment.scheduler.after(ms, resolve));

async function writeFile(environment: Environment, path: string, data: string): Promise<void> {
  const file = await environment.fileSystem.create(path);
  await file.write(bytes(data));
  await file.sync();
  await file.close();
}

/** Several workers that sleep, write and take chances: whatever could depend on order. */
async function busyProgram(environment: Environment): Promise<string> {
  await environment.fileSystem.makeDirectory('/d');
  const order: string[] = [];
  const worker = async (name: string): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await sleep(environment, Math.floor(environment.random.next() * 10));
      await writeFile(environment, `/d/${name}${i}`, `${name}${i}`);
      order.push(`${name}${i}@${environment.clock.nowMs()}`);
    }
  };
  await Promise.all(['a', 'b', 'c'].map(worker));
  return order.join(' ');
}

test('VirtualEnvironment repeats a seed bit for bit', async () => {
  const first = await runSimulation({ seed: 42, start: busyProgram });
  const second = await runSimulation({ seed: 42, start: busyProgram });
  assert.equal(first.value, second.value);
  assert.equal(first.digest, second.digest);
  assert.deepEqual(first.environment.trace.tail(), second.environment.trace.tail());
});

test('VirtualEnvironment repeats a seed bit for bit across crashes', async () => {
  const options = { seed: 7, start: busyProgram, crashAtSteps: [9, 4] };
  const first = await runSimulation(options);
  assert.equal(first.crashes, 2);
  assert.equal(first.digest, (await runSimulation(options)).digest);
});

test('VirtualEnvironment finds other orders with other seeds', async () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    orders.add((await runSimulation({ seed, start: busyProgram })).value);
  }
  assert.ok(orders.size > 15, `${orders.size} orders`);
});

test('VirtualEnvironment moves the clock only when nothing else can run', async () => {
  const environment = new VirtualEnvironment({ startMs: 1_000 });
  const seen: string[] = [];
  environment.scheduler.after(5, () => seen.push(`timer@${environment.clock.nowMs()}`));
  const again = (left: number): void => {
    seen.push(`deferred@${environment.clock.nowMs()}`);
    if (left > 0) environment.scheduler.defer(() => again(left - 1));
  };
  environment.scheduler.defer(() => again(2));
  while (await environment.step());
  assert.deepEqual(seen, ['deferred@1000', 'deferred@1000', 'deferred@1000', 'timer@1005']);
  assert.equal(environment.clock.monotonicMs(), 5);
});

test('VirtualEnvironment with a manual clock leaves timers alone until it is moved', async () => {
  const environment = new VirtualEnvironment({ clock: 'manual' });
  let fired = 0;
  environment.scheduler.after(10, () => fired++);
  const cancel = environment.scheduler.after(10, () => (fired += 100));
  cancel();
  assert.equal(await environment.step(), false);
  await environment.advanceTo(9);
  assert.equal(fired, 0);
  await environment.advanceTo(10);
  assert.equal(fired, 1);
});

test('runUntil says what happened last when a program waits for ever', async () => {
  const environment = new VirtualEnvironment();
  await assert.rejects(
    environment.runUntil(new Promise(() => {})),
    (error) => error instanceof SimulationStuckError && error.details.steps === 0,
  );
});

test('VirtualFileSystem loses what was not synced, and nothing that was', async () => {
  let lost = 0;
  let torn = 0;
  for (let seed = 0; seed < 200; seed++) {
    const environment = new VirtualEnvironment({ seed });
    const { fileSystem } = environment;
    const program = async (): Promise<void> => {
      await fileSystem.makeDirectory('/d');
      await writeFile(environment, '/d/synced', 'synced');
      await fileSystem.syncDirectory('/d');
      const file = await fileSystem.create('/d/unsynced');
      await fileSystem.syncDirectory('/d');
      await file.write(bytes('first'));
      await file.sync();
      await file.write(bytes(' second'));
      await writeFile(environment, '/d/nameless', 'content');
    };
    await environment.runUntil(program());
    const disk = environment.crash();
    assert.equal(text(disk.file('/d/synced').content), 'synced');
    const left = text(disk.file('/d/unsynced').content);
    assert.ok(left.startsWith('first'), left);
    if (left !== 'first second') torn++;
    const nameless = disk.find('/d/nameless');
    if (nameless === undefined) lost++;
    else assert.equal(text(disk.file('/d/nameless').content), 'content');
  }
  assert.ok(lost > 50 && lost < 150, `${lost} names lost`);
  assert.ok(torn > 50, `${torn} ends torn`);
});

test('VirtualFileSystem keeps a rename whole: one of the two names is there', async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 50; seed++) {
    const environment = new VirtualEnvironment({ seed });
    const program = async (): Promise<void> => {
      await environment.fileSystem.makeDirectory('/d');
      await writeFile(environment, '/d/tmp', 'new');
      await writeFile(environment, '/d/final', 'old');
      await environment.fileSystem.syncDirectory('/d');
      await environment.fileSystem.rename('/d/tmp', '/d/final');
    };
    await environment.runUntil(program());
    const disk = environment.crash();
    const final = text(disk.file('/d/final').content);
    outcomes.add(`${final} ${disk.find('/d/tmp') === undefined}`);
  }
  assert.deepEqual([...outcomes].sort(), ['new true', 'old false']);
});

test('VirtualFileSystem never answers the calls of a dead process', async () => {
  const environment = new VirtualEnvironment();
  await environment.runUntil(environment.fileSystem.makeDirectory('/d'));
  const file = await environment.runUntil(environment.fileSystem.create('/d/f'));
  const other = environment.startProcess();
  environment.kill();
  let answered = false;
  file.write(bytes('zombie')).then(() => (answered = true));
  const content = await other.runUntil(other.fileSystem.readFile('/d/f'));
  await other.runReady();
  assert.equal(answered, false);
  assert.equal(content.length, 0);
});

test('VirtualFileSystem applies the writes of one file in the order of the calls', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const environment = new VirtualEnvironment({ seed });
    const file = await environment.runUntil(environment.fileSystem.create('/f'));
    const calls = [...'abcdef'].map((letter) => file.write(bytes(letter)));
    await environment.runUntil(Promise.all([...calls, file.sync()]));
    assert.equal(text(environment.disk.file('/f').durable), 'abcdef');
  }
});

test('VirtualFileSystem injects a full disk, a failing call and a flipped bit', async () => {
  const disk = new VirtualDisk();
  disk.fullAfterBytes = 4;
  const environment = new VirtualEnvironment({ disk });
  const { fileSystem } = environment;
  const file = await environment.runUntil(fileSystem.create('/f'));
  await environment.runUntil(file.write(bytes('abc')));
  await assert.rejects(environment.runUntil(file.write(bytes('def'))), {
    code: 'FILE_SYSTEM',
    details: { kind: 'full', path: '/f' },
  });
  assert.equal(text(disk.file('/f').content), 'abcd');
  fileSystem.failNthCall(2, 'permission', (call) => call.operation === 'stat');
  await environment.runUntil(fileSystem.stat('/f'));
  await assert.rejects(environment.runUntil(fileSystem.stat('/f')), /injected fault in stat/);
  await environment.runUntil(fileSystem.stat('/f'));
  disk.flipBit('/f', 0, 1);
  assert.equal(text(disk.file('/f').content), 'cbcd');
});

test('VirtualFileSystem reports what the contract names', async () => {
  const environment = new VirtualEnvironment();
  const { fileSystem } = environment;
  const run = <T>(promise: Promise<T>): Promise<T> => environment.runUntil(promise);
  await run(fileSystem.makeDirectory('/a/b'));
  await run(writeFile(environment, '/a/f', 'f'));
  const kind = (expected: string) => (error: { details: { kind: string } }) =>
    error.details.kind === expected;
  await assert.rejects(run(fileSystem.readFile('/a/none')), kind('not-found'));
  await assert.rejects(run(fileSystem.create('/a/f', { exclusive: true })), kind('exists'));
  await assert.rejects(run(fileSystem.create('/x/f')), kind('not-found'));
  await assert.rejects(run(fileSystem.readFile('/a/b')), kind('directory'));
  await run(fileSystem.link('/a/f', '/a/g'));
  await assert.rejects(run(fileSystem.link('/a/f', '/a/g')), kind('exists'));
  assert.deepEqual(await run(fileSystem.list('/a')), [
    { name: 'b', kind: 'directory' },
    { name: 'f', kind: 'file' },
    { name: 'g', kind: 'file' },
  ]);
  await run(fileSystem.deleteDirectory('/a'));
  await run(fileSystem.delete('/a/none'));
  assert.deepEqual(await run(fileSystem.list('/none')), []);
  assert.equal(await run(fileSystem.stat('/none')), null);
});

const sum: BackgroundJob<number[], number> = {
  name: 'sum',
  module: import.meta.url,
  exportName: 'sum',
  run: (input) => input.reduce((a, b) => a + b, 0),
};

test('VirtualExecutor refuses functions and runs a lane in order', async () => {
  for (let seed = 0; seed < 10; seed++) {
    const environment = new VirtualEnvironment({ seed });
    const { executor } = environment;
    const done: number[] = [];
    const runs = [1, 2, 3].map((n) =>
      executor.run(sum, [n], 'persist').then((result) => done.push(result)),
    );
    await environment.runUntil(Promise.all(runs));
    assert.deepEqual(done, [1, 2, 3]);
    const posting = async () => executor.run(sum, [(() => 1) as unknown as number], 'persist');
    await assert.rejects(posting(), /could not be cloned/);
  }
});

test('crashProgramEverywhere finds a program that renames before it syncs', async () => {
  const program = (careful: boolean) => async (environment: Environment) => {
    const { fileSystem } = environment;
    await fileSystem.makeDirectory('/d');
    const file = await fileSystem.create('/d/tmp');
    await file.write(bytes('whole'));
    if (careful) await file.sync();
    await file.close();
    await fileSystem.rename('/d/tmp', '/d/final');
    await fileSystem.syncDirectory('/d');
    return text(await fileSystem.readFile('/d/final'));
  };
  // The second life only looks.
  const start = (careful: boolean) => async (environment: VirtualEnvironment, life: number) => {
    if (life === 0) return program(careful)(environment);
    const found = environment.disk.find('/d/final');
    return found?.kind === 'file' ? text(found.content) : 'nothing';
  };
  const check = ({ value }: { value: string }): void => {
    assert.ok(value === 'whole' || value === 'nothing', `torn: ${value}`);
  };
  for (let seed = 0; seed < 20; seed++) {
    await crashProgramEverywhere({ seed, start: start(true), check });
  }
  await assert.rejects(async () => {
    for (let seed = 0; seed < 20; seed++) {
      await crashProgramEverywhere({ seed, start: start(false), check });
    }
  }, /crash at step \d+.*torn/);
});

test('a directory that was removed and made again survives a loss of power', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const environment = new VirtualEnvironment({ seed });
    const { fileSystem } = environment;
    await environment.runUntil(fileSystem.makeDirectory('/a/b'));
    await environment.runUntil(fileSystem.deleteDirectory('/a/b'));
    await environment.runUntil(fileSystem.makeDirectory('/a/b'));
    assert.ok(environment.crash().find('/a/b') !== undefined, `seed ${seed}`);
  }
});
