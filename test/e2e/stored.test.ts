// Goal: what lies in a checkpoint directory can be looked at, checked and cleaned; damage is found,
// named, and costs nothing if an older snapshot is named. Method: the real command on real files.
import assert from 'node:assert/strict';
import { globSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { Tally } from './jobs/tally.ts';
import { Shop } from './shop.ts';
import { assertAllTallies, assertExactTallies } from './tally-check.ts';

/** A job that was stopped after a while; `cp` holds its checkpoints, `sp` an older savepoint. */
async function stoppedShop(t: ConstructorParameters<typeof Shop>[0], ...args: string[]) {
  const shop = new Shop(t);
  const running = shop.startJob('tally', '--json', '--param', 'rate=500', ...args);
  await running.saw('checkpointCompleted', 3);
  const savepoint = JSON.parse(shop.millrace('savepoint', 'sp', '--json')).path as string;
  await running.saw('checkpointCompleted', running.events('checkpointCompleted').length + 2);
  const newest = JSON.parse(shop.millrace('stop', '--json')).lastCheckpoint.checkpointId as number;
  assert.equal(await running.exit(), 0, running.text);
  const manifest = join(shop.folder, 'cp', 'tally', `chk-${newest}`, 'manifest.json');
  return { shop, savepoint, newest, manifest, written: assertExactTallies(shop) };
}

function flipByte(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset]! ^= 1;
  writeFileSync(path, bytes);
}

/** A run that nothing refers to. @returns its path */
function leaveOrphan(shop: Shop): string {
  const shared = join(shop.folder, 'cp', 'tally', 'shared');
  mkdirSync(shared, { recursive: true }); // little state has no runs
  const orphan = join(shared, '1-1-99999.run');
  writeFileSync(orphan, 'left by nobody');
  return orphan;
}

/** The job cannot go on by itself; from the savepoint it ends, and nothing is missing. */
async function assertOlderOneSaves(shop: Shop, savepoint: string, code: RegExp): Promise<void> {
  const args = ['--param', 'rate=50000', '--param', 'count=20000'];
  const refused = shop.startJob('tally', ...args);
  assert.equal(await refused.exit(), 5, refused.text);
  assert.match(refused.text, code);
  const named = shop.startJob('tally', ...args, '--from', savepoint, '--allow-duplicates');
  assert.equal(await named.exit(), 0, named.text);
  const numbers = shop.read<Tally>('output/numbers/**/*.jsonl').map(({ number }) => number);
  assert.equal(new Set(numbers).size, 20_000);
}

suite('millrace checkpoints', { concurrency: 2 }, () => {
  test('ls, show and verify tell what is there', async (t) => {
    const { shop, newest, savepoint } = await stoppedShop(t);
    const listed = shop.millrace('checkpoints', 'ls', 'cp');
    assert.match(listed, /^tally/);
    assert.match(listed, new RegExp(`checkpoint ${newest} .*UTC`));
    const shown = shop.millrace('checkpoints', 'show', 'cp', 'tally');
    for (const part of ['numbers', 'tally', 'seconds', `Checkpoint ${newest} of job`]) {
      assert.match(shown, new RegExp(part));
    }
    const manifest = JSON.parse(shop.millrace('checkpoints', 'show', 'cp', '--json'));
    assert.equal(manifest.checkpointId, newest);
    assert.match(shop.millrace('checkpoints', 'verify', 'cp'), /^intact {2}chk-/m);
    assert.match(shop.millrace('checkpoints', 'verify', savepoint), /^intact /m);
    assert.match(shop.millrace('checkpoints', 'ls', savepoint), /savepoint \d+/);
    assert.equal(shop.ask('checkpoints', 'ls', 'nowhere').code, 1);
    assert.match(shop.ask('checkpoints', 'ls', 'nowhere').err, /CHECKPOINTS_NOT_FOUND/);
    assert.match(
      shop.ask('checkpoints', 'show', 'cp', '--id', '99999').err,
      /CHECKPOINTS_NOT_FOUND/,
    );
  });

  test('gc shows what nobody refers to, deletes it when told, and the job goes on', async (t) => {
    const { shop } = await stoppedShop(t);
    const orphan = leaveOrphan(shop);
    const foreign = join(shop.folder, 'cp', 'tally', 'notes.txt');
    writeFileSync(foreign, 'of the user');
    assert.match(shop.millrace('checkpoints', 'gc', 'cp'), /shared\/1-1-99999\.run/);
    assert.ok(statSync(orphan), 'it only shows');
    shop.millrace('checkpoints', 'gc', 'cp', '--delete');
    assert.equal(statSync(orphan, { throwIfNoEntry: false }), undefined);
    assert.ok(statSync(foreign), 'what is not ours stays');
    assert.match(shop.millrace('checkpoints', 'verify', 'cp'), /^intact/m);
    const next = shop.startJob('tally', '--param', 'rate=50000', '--param', 'count=20000');
    assert.equal(await next.exit(), 0, next.text);
    assertAllTallies(shop, 20_000);
  });

  test('gc --delete is refused while the job runs', async (t) => {
    const shop = new Shop(t);
    const running = shop.startJob('tally', '--json');
    await running.saw('checkpointCompleted');
    leaveOrphan(shop);
    const refused = shop.ask('checkpoints', 'gc', 'cp', '--delete');
    assert.equal(refused.code, 2, refused.out);
    assert.match(refused.err, /is running/);
    await running.saw('checkpointCompleted', running.events('checkpointCompleted').length + 2);
  });
});

suite('a damaged newest checkpoint', { concurrency: 2 }, () => {
  test('a flipped bit in its manifest is found, by the job and by verify', async (t) => {
    const { shop, savepoint, manifest, newest } = await stoppedShop(t);
    flipByte(manifest, Math.floor(statSync(manifest).size / 2));
    const verified = shop.ask('checkpoints', 'verify', 'cp');
    assert.equal(verified.code, 1);
    assert.match(verified.out, new RegExp(`DAMAGED {2}chk-${newest}/`));
    assert.match(shop.millrace('checkpoints', 'ls', 'cp'), /DAMAGED/);
    await assertOlderOneSaves(shop, savepoint, /CORRUPT_MANIFEST/);
  });

  test('an empty manifest is found', async (t) => {
    const { shop, savepoint, manifest } = await stoppedShop(t);
    truncateSync(manifest, 0);
    await assertOlderOneSaves(shop, savepoint, /CORRUPT_MANIFEST/);
  });

  test('flipped bits in its state are found', async (t) => {
    const { shop, savepoint } = await stoppedShop(t, '--inline-bytes', '0');
    const names = globSync('cp/tally/shared/*.run', { cwd: shop.folder });
    assert.ok(names.length > 0);
    for (const name of names) {
      const path = join(shop.folder, name);
      flipByte(path, Math.floor(statSync(path).size / 2));
    }
    assert.equal(shop.ask('checkpoints', 'verify', 'cp').code, 1);
    assert.equal(shop.ask('checkpoints', 'verify', savepoint).code, 0);
    await assertOlderOneSaves(shop, savepoint, /CORRUPT_RUN/);
  });
});
