// What the proof's jobs write to, and how it is read afterwards.
import { fileSink, linesOut } from '@millrace/connectors';
import { type DataStream, type Flow, job } from '@millrace/core';
import type { CampaignJob, JobWorld } from '@millrace/testing/campaign';

const OUT = '/out';

/** Writes lines through the exactly-once file sink. */
export function toFiles(stream: DataStream<string>, uid = 'out'): void {
  stream.to(uid, fileSink({ directory: `${OUT}/${uid}`, format: linesOut() }));
}

/** The finished files of all outputs: name below `/out`, and lines in order. */
export function finishedFiles(world: JobWorld): { path: string; lines: string[] }[] {
  const files: { path: string; lines: string[] }[] = [];
  const visit = (path: string): void => {
    const node = world.disk.find(`${OUT}${path}`);
    if (node?.kind === 'file') {
      const text = new TextDecoder().decode(node.content);
      files.push({ path, lines: text.split('\n').filter((line) => line !== '') });
    } else if (node !== undefined) {
      for (const name of [...node.names.keys()].sort()) {
        if (!name.startsWith('.')) visit(`${path}/${name}`);
      }
    }
  };
  visit('');
  return files;
}

/** A job that writes lines to files, with every size that matters left to the campaign. */
export function fileJob(
  name: string,
  define: (flow: Flow, inputSize: number) => void,
  more: Partial<CampaignJob> = {},
): CampaignJob {
  return {
    name,
    build: (inputSize) => job(name, (flow) => define(flow, inputSize)),
    committed: (world) => finishedFiles(world).flatMap(({ lines }) => lines),
    ...more,
  };
}

/** So many records of a split for an input size. */
export function scaled(count: number, inputSize: number): number {
  return Math.max(1, Math.round(count * inputSize));
}
