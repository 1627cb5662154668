// Goal: damage anywhere in a checkpoint is found, whatever else is damaged. Method: the stored
// checkpoint of format version 2 (a run in a file, one in the manifest), damaged in every place.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { filesOf } from '../checkpoint/files-of.ts';
import { decodeManifest, type Manifest } from '../checkpoint/manifest.ts';
import { nodeEnvironment } from '../embedded/node-environment.ts';
import { MemoryStorage } from '../storage/memory-storage.ts';
import { verifySnapshot } from './verify-snapshot.ts';

const DIRECTORY = fileURLToPath(new URL('../../../../test/formats/checkpoint-v2', import.meta.url));
const MANIFEST = 'chk-2/manifest.json';

function storedObjects(): Map<string, Uint8Array> {
  const objects = new Map<string, Uint8Array>();
  for (const entry of readdirSync(DIRECTORY, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    objects.set(path.slice(DIRECTORY.length + 1), new Uint8Array(readFileSync(path)));
  }
  return objects;
}

const environment = nodeEnvironment();

function manifestIn(objects: ReadonlyMap<string, Uint8Array>): Manifest {
  return decodeManifest(objects.get(MANIFEST)!, MANIFEST);
}

async function problemsOf(objects: Map<string, Uint8Array>, manifest: Manifest) {
  const { problems } = await verifySnapshot(manifest, new MemoryStorage(objects), environment);
  return problems;
}

test('verifySnapshot finds a changed byte anywhere in a file of runs', async () => {
  const objects = storedObjects();
  const manifest = manifestIn(objects);
  assert.deepEqual(await problemsOf(objects, manifest), []);
  const [file] = [...filesOf(manifest).keys()];
  const bytes = objects.get(file!)!;
  for (let at = 0; at < bytes.length; at++) {
    bytes[at]! ^= 1 << (at % 8);
    const [problem] = await problemsOf(objects, manifest);
    assert.match(problem ?? '', new RegExp(`"${file}"`), `byte ${at}`);
    bytes[at]! ^= 1 << (at % 8);
  }
});

test('a changed byte anywhere in a manifest, with its inline runs, is found', () => {
  const objects = storedObjects();
  const bytes = objects.get(MANIFEST)!;
  for (let at = 0; at < bytes.length; at++) {
    bytes[at]! ^= 1 << (at % 8);
    assert.throws(() => manifestIn(objects), /is damaged|has format version/, `byte ${at}`);
    bytes[at]! ^= 1 << (at % 8);
  }
});

test('verifySnapshot tells missing and short files and goes on with the others', async () => {
  const objects = storedObjects();
  const manifest = manifestIn(objects);
  const [file] = [...filesOf(manifest).keys()];
  const bytes = objects.get(file!)!;
  objects.set(file!, bytes.subarray(0, bytes.length - 1));
  assert.match((await problemsOf(objects, manifest)).join('\n'), /has \d+ bytes.*\n.*too early/);
  objects.delete(file!);
  assert.deepEqual(await problemsOf(objects, manifest), [`file "${file}" is missing`]);
});

test('verifySnapshot tells its progress to the last byte', async () => {
  const objects = storedObjects();
  const manifest = manifestIn(objects);
  const seen: number[] = [];
  const storage = new MemoryStorage(objects);
  const report = await verifySnapshot(manifest, storage, environment, (read, all) => {
    assert.ok(read <= all);
    seen.push(read);
  });
  assert.equal(seen.at(-1), report.bytes);
  assert.equal(report.runs, 2);
});
