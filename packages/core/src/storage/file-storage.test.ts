import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  type FileErrorKind,
  type FileSystem,
  FileSystemError,
  type WritableFile,
} from '../base/file-system.ts';
import { storageConformance } from './conformance.ts';
import { FileStorage } from './file-storage.ts';
import { MemoryStorage } from './memory-storage.ts';
import { fileErrorKindOf, nodeFileSystem } from './node-file-system.ts';
import {
  StorageFullError,
  StorageNotDirectoryError,
  StoragePermissionError,
  StorageUnavailableError,
} from './storage-errors.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'millrace-storage-'));
after(() => fs.rmSync(root, { recursive: true }));
let directories = 0;
let hexes = 0;
const random = { next: () => 0, hex: () => `${process.pid}-${hexes++}` };
const newDirectory = (): string => path.join(root, `dir-${directories++}`, 'deep');

storageConformance('FileStorage', () => new FileStorage(newDirectory(), nodeFileSystem(), random));
storageConformance('MemoryStorage', () => new MemoryStorage());

/** The real disk, with a record of calls and a call that fails. */
function spy(fails: { operation?: string; kind?: FileErrorKind } = {}): {
  files: FileSystem;
  calls: string[];
} {
  const real = nodeFileSystem();
  const calls: string[] = [];
  const note = (operation: string): void => {
    calls.push(operation);
    if (operation !== fails.operation) return;
    const kind = fails.kind!;
    throw new FileSystemError(`no ${operation}`, { kind, path: operation });
  };
  const files: FileSystem = {
    ...real,
    async create(file, options) {
      note('create');
      const inner = await real.create(file, options);
      const wrapped: WritableFile = {
        async write(data) {
          note('write');
          await inner.write(data);
        },
        async sync() {
          note('sync');
          await inner.sync();
        },
        close: () => inner.close(),
      };
      return wrapped;
    },
    async rename(from, to) {
      note('rename');
      await real.rename(from, to);
    },
    async link(from, to) {
      note('link');
      await real.link(from, to);
    },
    async syncDirectory(directory) {
      note('syncDirectory');
      await real.syncDirectory(directory);
    },
  };
  return { files, calls };
}

test('FileStorage syncs content, publishes the name, syncs the directory', async () => {
  const { files, calls } = spy();
  const storage = new FileStorage(newDirectory(), files, random);
  await storage.put('a', [new Uint8Array(1)]);
  await storage.createIfAbsent('b', new Uint8Array(1));
  const published = ['create', 'write', 'sync', 'rename', 'syncDirectory'];
  assert.deepEqual(calls, [...published, ...published.map((c) => (c === 'rename' ? 'link' : c))]);
});

test('FileStorage leaves nothing behind when a write fails, and can repeat it', async () => {
  for (const operation of ['write', 'sync', 'rename', 'link']) {
    const directory = newDirectory();
    const broken = new FileStorage(directory, spy({ operation, kind: 'full' }).files, random);
    const write = (storage: FileStorage): Promise<unknown> =>
      operation === 'link'
        ? storage.createIfAbsent('log/1', new Uint8Array(3))
        : storage.put('log/1', [new Uint8Array(3)]);
    await assert.rejects(write(broken), StorageFullError);
    assert.deepEqual(fs.readdirSync(path.join(directory, 'log')), [], operation);
    await write(new FileStorage(directory, nodeFileSystem(), random));
    assert.equal((await broken.list('')).length, 1);
  }
});

test('FileStorage says what kind of failure it was', async () => {
  for (const [kind, expected] of [
    ['full', StorageFullError],
    ['permission', StoragePermissionError],
    ['other', StorageUnavailableError],
  ] as const) {
    const { files } = spy({ operation: 'create', kind });
    const storage = new FileStorage(newDirectory(), files, random);
    await assert.rejects(storage.put('a', []), (error: unknown) => {
      assert.ok(error instanceof expected);
      assert.equal(error.domain, 'external');
      return true;
    });
  }
});

test('FileStorage says at once that its directory lies below a file', async () => {
  const file = path.join(root, 'a-file');
  fs.writeFileSync(file, '');
  for (const directory of [file, `${file}/below`]) {
    const storage = new FileStorage(directory, nodeFileSystem(), random);
    await assert.rejects(storage.createIfAbsent('log/1', new Uint8Array()), (error: unknown) => {
      assert.ok(error instanceof StorageNotDirectoryError);
      assert.equal(error.retry, 'never');
      assert.match(
        error.message,
        /could not write "log\/1" in .*: it is a file, or lies below one$/,
      );
      return true;
    });
  }
});

test('FileStorage does not list temporary files, and its owner removes them', async () => {
  const directory = newDirectory();
  const storage = new FileStorage(`${directory}/`, nodeFileSystem(), random);
  await storage.put('shared/a', [new Uint8Array(2)]);
  fs.writeFileSync(path.join(directory, 'shared', '~dead'), 'half');
  fs.writeFileSync(path.join(directory, '~dead'), 'half');
  assert.deepEqual(await storage.list(''), [{ name: 'shared/a', sizeBytes: 2 }]);
  await storage.removeLeftovers();
  assert.deepEqual(fs.readdirSync(path.join(directory, 'shared')), ['a']);
  assert.deepEqual(fs.readdirSync(directory), ['shared']);
});

test('FileStorage tries again when its temporary file was taken away', async () => {
  const directory = newDirectory();
  const taken = spy({ operation: 'link', kind: 'not-found' });
  const storage = new FileStorage(directory, taken.files, random);
  const lost = storage.createIfAbsent('log/1', new Uint8Array(1));
  await assert.rejects(lost, StorageUnavailableError);
});

test('FileStorage removes directories with their last object', async () => {
  const directory = newDirectory();
  const storage = new FileStorage(directory, nodeFileSystem(), random);
  await storage.put('chk-1/sub/manifest.json', [new Uint8Array(1)]);
  await storage.delete('chk-1/sub/manifest.json');
  assert.deepEqual(fs.readdirSync(directory), []);
});

const kindIs = (kind: FileErrorKind) => (error: unknown) =>
  error instanceof FileSystemError && error.details.kind === kind;

test('nodeFileSystem maps the codes of the system to kinds', () => {
  const kinds = {
    ENOENT: 'not-found',
    ENOTDIR: 'not-found',
    EEXIST: 'exists',
    ENOSPC: 'full',
    EDQUOT: 'full',
    EACCES: 'permission',
    EPERM: 'permission',
    EROFS: 'permission',
    EISDIR: 'directory',
    EIO: 'other',
  };
  for (const [errno, kind] of Object.entries(kinds)) assert.equal(fileErrorKindOf(errno), kind);
});

test('nodeFileSystem writes overlapping calls in order and reads up to the end', async () => {
  const files = nodeFileSystem();
  const file = path.join(root, 'order');
  const out = await files.create(file);
  const parts = Array.from({ length: 50 }, (_, i) => new Uint8Array(i + 1).fill(i));
  await Promise.all(parts.map((part) => out.write(part)));
  await out.sync();
  await out.close();
  assert.ok(Buffer.from(await files.readFile(file)).equals(Buffer.concat(parts)));
  const input = await files.openRead(file);
  assert.equal((await input.read(1_270, 2 ** 40)).length, 5);
  assert.equal((await input.read(5_000, 10)).length, 0);
  await input.close();
  await assert.rejects(files.create(file, { exclusive: true }), kindIs('exists'));
  await assert.rejects(files.readFile(`${file}-missing`), kindIs('not-found'));
  assert.equal(await files.stat(`${file}-missing`), null);
  assert.deepEqual(await files.list(`${file}-missing`), []);
});
