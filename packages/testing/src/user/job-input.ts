import { DiskFile, type VirtualDisk } from '../environment/virtual-disk.ts';

/**
 * Files of a simulated job by path. A list becomes one line per element: a text as it is, anything
 * else as JSON. Text and bytes are taken as they are.
 */
export type JobInput = Readonly<Record<string, readonly unknown[] | string | Uint8Array>>;

/**
 * Puts the files on a virtual disk, durable.
 *
 * @param share of the lines, for smaller cases: above 0; 1 and more: all of them
 */
export function putInput(disk: VirtualDisk, input: JobInput, share = 1): void {
  for (const [path, content] of Object.entries(input)) {
    disk.makeDirectory(path.split('/').slice(0, -1).join('/'));
    const { directory, name } = disk.place(path);
    const file = new DiskFile();
    file.append(bytesOf(content, share));
    file.sync();
    disk.change(directory, { directory, name, node: file });
    disk.syncDirectory(directory);
  }
}

function bytesOf(content: readonly unknown[] | string | Uint8Array, share: number): Uint8Array {
  if (content instanceof Uint8Array) return content;
  if (typeof content === 'string') return new TextEncoder().encode(content);
  const count = share >= 1 ? content.length : Math.ceil(content.length * share);
  const lines = content
    .slice(0, count)
    .map((one) => `${typeof one === 'string' ? one : JSON.stringify(one)}\n`);
  return new TextEncoder().encode(lines.join(''));
}
