import type { Mutant } from './mutant.ts';

const SINK = 'core/src/task/sink';
const FILES = 'connectors/src/file-sink';

/** Commits, and the file sink. */
export const SINK_MUTANTS: readonly Mutant[] = [
  {
    name: 'commit-when-prepared',
    breaks: 'what a checkpoint prepares is committed at once: sink-operator, coordinator P1',
    edits: [
      {
        file: `${SINK}/sink-operator.ts`,
        find: `      this.#commits?.add(checkpointId, committables);`,
        replace: `      this.#commits?.add(checkpointId, committables);
      this.#commits?.complete(checkpointId);`,
      },
    ],
  },
  {
    name: 'not-committed-again',
    breaks: 'what a restored checkpoint lists is not committed: sink-recovery, job-runner B2',
    jobs: ['split-by-split', 'transactional-sink'],
    edits: [
      {
        file: 'core/src/embedded/sink-recovery.ts',
        find: `      if (committables.length > 0 && sink.createCommitter !== undefined) {`,
        replace: `      if (committables.length > 1_000 && sink.createCommitter !== undefined) {`,
      },
    ],
  },
  {
    name: 'aborted-committables-forgotten',
    breaks: 'what was prepared for a checkpoint that was given up is dropped: committer-step X3',
    jobs: ['split-by-split', 'transactional-sink', 'two-shuffles'],
    edits: [
      {
        file: `${SINK}/committer-step.ts`,
        find: `  return { ...state, completedId: Math.max(state.completedId, checkpointId) };`,
        replace: `  const bundles = state.bundles.filter(
    (one) => one.checkpointId <= state.completedId || one.checkpointId >= checkpointId,
  );
  return { ...state, bundles, completedId: Math.max(state.completedId, checkpointId) };`,
      },
    ],
  },
  {
    name: 'unconfirmed-not-stored',
    breaks: 'a snapshot lists only what was prepared for itself: sink-operator Z1, committer X1',
    edits: [
      {
        file: `${SINK}/sink-operator.ts`,
        find: `      const unconfirmed = this.#commits?.unconfirmed() ?? [];`,
        replace: `      const unconfirmed = committables;`,
      },
    ],
  },
  {
    name: 'refused-commit-dropped',
    breaks: 'a commit that is to be tried later is taken for done: committer-step X1',
    jobs: ['split-by-split', 'transactional-sink'],
    edits: [
      {
        file: `${SINK}/committer-step.ts`,
        find: `  return outcome.kind === 'retryLater' || outcome.kind === 'failed';`,
        replace: `  return outcome.kind === 'failed';`,
      },
    ],
  },
  {
    name: 'commit-without-folder-sync',
    breaks: 'a commit is reported before the new name is durable: file-committer C2',
    jobs: ['split-by-split', 'two-shuffles'],
    edits: [
      {
        file: `${FILES}/file-committer.ts`,
        find: `    for (const folder of new Set(done.map(folderOf))) await this.#sync(folder);`,
        replace: ``,
      },
    ],
  },
  {
    name: 'part-without-sync',
    breaks: 'a closed part is named in a checkpoint before its bytes are durable: file-writer W1',
    edits: [
      {
        file: `${FILES}/part-file.ts`,
        find: `      await file.sync();
      await file.close();`,
        replace: `      await file.close();`,
      },
    ],
  },
  {
    name: 'open-part-without-sync',
    breaks: 'the length of an open part is stored before its bytes are durable: file-writer W1',
    edits: [
      {
        file: `${FILES}/part-file.ts`,
        find: `      await file.sync();
      return file;`,
        replace: `      return file;`,
      },
    ],
  },
  {
    name: 'staging-without-sync',
    breaks: 'a part is named in a checkpoint before its own name is durable: file-writer W1',
    edits: [
      {
        file: `${FILES}/file-writer.ts`,
        find: `if (closed.length + open.length > 0) await this.#syncStaging();`,
        replace: `if (closed.length + open.length > 1_000) await this.#syncStaging();`,
      },
    ],
  },
  {
    name: 'restored-part-not-cut',
    breaks: 'a restored part keeps what was written after the checkpoint: file-writer W2',
    edits: [
      {
        file: `${FILES}/part-file.ts`,
        find: `      for (let at = 0; at < part.sizeBytes; ) {`,
        replace: `      for (let at = 0; at < stat.sizeBytes; ) {`,
      },
      {
        file: `${FILES}/part-file.ts`,
        find: `Math.min(COPY_BYTES, part.sizeBytes - at)`,
        replace: `Math.min(COPY_BYTES, stat.sizeBytes - at)`,
      },
    ],
  },
  {
    name: 'restored-part-begins-empty',
    breaks: 'a restored part does not begin with what the checkpoint holds of it: file-writer W2',
    edits: [
      {
        file: `${FILES}/part-file.ts`,
        find: `if (prefixOf !== null) await copyPrefix(`,
        replace: `if (prefixOf?.bucket === 'none') await copyPrefix(`,
      },
    ],
  },
  {
    name: 'leftovers-include-live-parts',
    breaks: 'the cleanup deletes parts that the restored checkpoint goes on with: leftovers L2',
    edits: [
      {
        file: `${FILES}/leftovers.ts`,
        find: `if (kind !== 'file' || keep.has(path) || !isOlder(name, context)) continue;`,
        replace: `if (kind !== 'file' || !isOlder(name, context)) continue;`,
      },
    ],
  },
  {
    name: 'leftovers-of-the-living',
    breaks: 'the cleanup deletes parts of younger processes: leftovers L1',
    jobs: ['ttl', 'two-shuffles'],
    edits: [
      {
        file: `${FILES}/leftovers.ts`,
        find: `return owner.generation < context.generation;`,
        replace: `return true;`,
      },
    ],
  },
];
