import { checkpointRunSource, readTableFacts } from '@millrace/core/checkpoint';
import type { Environment } from '@millrace/core/host';
import type { CommandContext } from '../command/command-context.ts';
import type { ReadableSnapshot } from './chosen-snapshot.ts';
import { withRoutedRuns } from './routed-runs.ts';
import { tablesText } from './table-text.ts';

/** Operators of no more stored state than this are read to be counted; about a second. */
const EXACT_BYTES_MAX = 64 * 2 ** 20;

/** How tables are shown. */
export interface ShowTablesOptions {
  readonly asJson: boolean;
  /** Count entries of operators of any size. */
  readonly isExact: boolean;
}

/**
 * Writes what every operator of a snapshot holds, table by table.
 *
 * @throws CorruptRunError UnknownRunVersionError, and what the storage throws
 */
export async function showTables(
  { terminal, nowMs }: CommandContext,
  environment: Environment,
  snapshot: ReadableSnapshot,
  { asJson, isExact }: ShowTablesOptions,
): Promise<void> {
  const operators = await withRoutedRuns(snapshot, environment, (routed) =>
    readTableFacts(snapshot.manifest, checkpointRunSource(routed, environment), {
      exactBytesMax: isExact ? Number.POSITIVE_INFINITY : EXACT_BYTES_MAX,
      nowMs: nowMs(),
    }),
  );
  terminal.out(asJson ? `${JSON.stringify(operators, null, 2)}\n` : tablesText(operators));
}
