import type { WatermarkAlignment } from '../function/watermark-strategy.ts';
import { pausedSources, type SourceProgress } from '../task/source/watermark-alignment.ts';
import type { DeployedTask } from './deployment.ts';

const DEFAULT_UPDATE_INTERVAL_MS = 1_000;

interface Group {
  readonly options: WatermarkAlignment;
  readonly readers: DeployedTask[];
  nextUpdateMs: number;
  paused: ReadonlySet<DeployedTask>;
}

/** Lets the readers that are too far ahead in event time rest until their group has caught up. */
export class SourceAlignment {
  readonly #groups = new Map<string, Group>();

  constructor(tasks: readonly DeployedTask[]) {
    for (const task of tasks) {
      const { spec } = task.vertex.operators[0]!.node;
      const options = spec.kind === 'source' ? spec.watermarks?.alignment : undefined;
      if (options === undefined) continue;
      let group = this.#groups.get(options.group);
      if (group === undefined) {
        group = { options, readers: [], nextUpdateMs: 0, paused: new Set() };
        this.#groups.set(options.group, group);
      }
      group.readers.push(task);
    }
  }

  /** Pauses and resumes; looks at a group at most once per its update interval. */
  update(nowMs: number): void {
    for (const group of this.#groups.values()) {
      if (nowMs < group.nextUpdateMs) continue;
      group.nextUpdateMs = nowMs + (group.options.updateIntervalMs ?? DEFAULT_UPDATE_INTERVAL_MS);
      const progress = new Map<DeployedTask, SourceProgress>(
        group.readers.map((reader) => [reader, reader.task.sourceProgress()]),
      );
      const paused = pausedSources(progress, group.options.maxDriftMs);
      for (const reader of group.readers) {
        if (paused.has(reader) === group.paused.has(reader)) continue;
        reader.runner.send({ kind: 'setPaused', paused: paused.has(reader) });
      }
      group.paused = paused;
    }
  }
}
