import {
  type Manifest,
  type SnapshotVerification,
  verifySnapshot,
} from '@millrace/core/checkpoint';
import type { Environment } from '@millrace/core/host';
import type { CheckpointPlace, FoundSnapshot } from '../checkpoints/checkpoint-place.ts';
import { withRoutedRuns } from '../checkpoints/routed-runs.ts';
import { formatBytes } from '../progress/figures.ts';
import type { CommandContext } from './command-context.ts';
import { errorData } from './error-report.ts';
import { exitCode, type ExitCode } from './exit-code.ts';

const REDRAW_MS = 200;

/**
 * `millrace checkpoints verify`: checks every block of every run of these snapshots.
 *
 * @returns `failed` if there is any damage
 */
export async function verifyCheckpoints(
  context: CommandContext,
  environment: Environment,
  place: CheckpointPlace,
  wanted: readonly FoundSnapshot[],
  asJson: boolean,
): Promise<ExitCode> {
  const { terminal } = context;
  let isDamaged = false;
  for (const { name, manifest, problem } of wanted) {
    const found: SnapshotVerification =
      manifest === null
        ? { runs: 0, bytes: 0, problems: [errorData(problem).message], damages: [] }
        : await verified(context, environment, place, name, manifest);
    const { runs, bytes, problems } = found;
    isDamaged ||= problems.length > 0;
    if (asJson) terminal.out(`${JSON.stringify({ manifest: name, ...found })}\n`);
    else {
      const verdict = problems.length === 0 ? 'intact' : 'DAMAGED';
      const size = manifest === null ? '' : `  ${runs} runs, ${formatBytes(bytes)}`;
      terminal.out(`${verdict}  ${name}${size}\n`);
      for (const text of problems) terminal.out(`  ${text}\n`);
    }
  }
  return isDamaged ? exitCode.failed : exitCode.ok;
}

async function verified(
  { terminal, nowMs }: CommandContext,
  environment: Environment,
  { storage }: CheckpointPlace,
  name: string,
  manifest: Manifest,
): Promise<SnapshotVerification> {
  let drawnMs = nowMs();
  let isDrawn = false;
  const draw = (read: number, all: number): void => {
    if (!terminal.isInteractive || nowMs() - drawnMs < REDRAW_MS) return;
    drawnMs = nowMs();
    isDrawn = true;
    const percent = Math.floor((100 * read) / Math.max(1, all));
    terminal.error(`\r${name}: ${formatBytes(read)} of ${formatBytes(all)}, ${percent} %\u001b[K`);
  };
  try {
    return await withRoutedRuns({ storage, manifest }, environment, (routed) =>
      verifySnapshot(manifest, routed, environment, draw),
    );
  } finally {
    if (isDrawn) terminal.error('\r\u001b[K');
  }
}
