import {
  checkpointRunSource,
  dumpTable,
  type Key,
  type Manifest,
  nodeEnvironment,
  type OperatorManifest,
  type RunSource,
  storedTables,
} from '@millrace/core/checkpoint';
import type { Environment } from '@millrace/core/host';
import { type ReadableSnapshot, readableSnapshot } from '../checkpoints/chosen-snapshot.ts';
import { type DumpFormat, dumpLines, type ShownEntry } from '../checkpoints/dump-lines.ts';
import { alikeKeys, formatKey, parseKey } from '../checkpoints/key-text.ts';
import { withRoutedRuns } from '../checkpoints/routed-runs.ts';
import { showTables } from '../checkpoints/show-tables.ts';
import { readArguments, usage, wholeNumber } from './arguments.ts';
import type { CommandContext, Terminal } from './command-context.ts';
import { StateNotFoundError } from './command-errors.ts';
import { exitCode, type ExitCode } from './exit-code.ts';
import { defaultCheckpointDirectory } from './job-file.ts';
import { nearestWord } from './nearest-word.ts';
import { location } from './run-arguments.ts';

const command = 'state';

/** So much is written at once. */
const CHUNK_CHARACTERS = 1 << 16;
/** What the state of a source's enumerator is called here. */
const ENUMERATOR = 'enumerator';

/** What to dump; checked as far as the command line goes. */
interface DumpRequest {
  readonly operatorUid: string | undefined;
  readonly table: string | undefined;
  readonly key: Key | undefined;
  readonly limit: number;
  readonly format: DumpFormat;
  readonly includeExpired: boolean;
}

/**
 * `millrace state ls|dump <dir> [job]`: reads the state in a checkpoint or savepoint, without the
 * job and its code.
 *
 * @throws UsageError, CheckpointPlaceError, StateNotFoundError, and the errors of damaged logs,
 *   manifests and runs
 */
export async function stateCommand(
  context: CommandContext,
  args: readonly string[],
): Promise<ExitCode> {
  const { values, positionals } = readArguments(command, args, ['action', 'dir', '[job]'], {
    id: { type: 'string' },
    operator: { type: 'string' },
    table: { type: 'string' },
    key: { type: 'string' },
    limit: { type: 'string' },
    format: { type: 'string' },
    'include-expired': { type: 'boolean' },
    exact: { type: 'boolean' },
    json: { type: 'boolean' },
  });
  const [action, place, job] = positionals;
  if (action !== 'ls' && action !== 'dump') throw usage(command, `"${action}" is none of ls, dump`);
  const request: DumpRequest = {
    operatorUid: values.operator,
    table: values.table,
    key: keyOf(values.key),
    limit: wholeNumber(command, 'limit', values.limit, 0) ?? Number.POSITIVE_INFINITY,
    format: formatOf(values.format),
    includeExpired: values['include-expired'] ?? false,
  };
  const id = wholeNumber(command, 'id', values.id, 1);
  const { workingDirectory } = context;
  const directory =
    place === 'latest'
      ? defaultCheckpointDirectory(`${workingDirectory}/job.ts`)
      : location(place!, workingDirectory);
  const environment = nodeEnvironment();
  try {
    const snapshot = await readableSnapshot(environment, directory, job, id);
    if (action === 'ls') {
      const options = { asJson: values.json ?? false, isExact: values.exact ?? false };
      await showTables(context, environment, snapshot, options);
    } else {
      await dump(context, environment, snapshot, request);
    }
    return exitCode.ok;
  } finally {
    await environment.executor.close();
  }
}

function keyOf(text: string | undefined): Key | undefined {
  if (text === undefined) return undefined;
  const parsed = parseKey(text);
  if (typeof parsed === 'string') throw usage(command, `--key takes ${parsed}, not ${text}`);
  return parsed.key;
}

function formatOf(text = 'jsonl'): DumpFormat {
  if (text === 'jsonl' || text === 'table') return text;
  throw usage(command, `--format takes jsonl or table, not "${text}"`);
}

async function dump(
  { terminal, nowMs }: CommandContext,
  environment: Environment,
  snapshot: ReadableSnapshot,
  request: DumpRequest,
): Promise<void> {
  const { manifest } = snapshot;
  const [uid, operator] = chosenOperator(manifest, request.operatorUid);
  const table = chosenTable(manifest, uid, operator, request.table);
  await withRoutedRuns(snapshot, environment, async (routed) => {
    const source = checkpointRunSource(routed, environment);
    const now = nowMs();
    const entries = entriesOf(manifest, uid, operator, table, source, request, now);
    const written = await writeLines(
      terminal,
      dumpLines(limited(entries, request.limit), request.format),
    );
    if (written > 0 || request.key === undefined || request.limit === 0) return;
    await failKey(manifest, uid, operator, table, source, request.key, now);
  });
}

async function* entriesOf(
  manifest: Manifest,
  uid: string,
  operator: OperatorManifest,
  table: string,
  source: RunSource,
  { key, includeExpired }: DumpRequest,
  nowMs: number,
): AsyncGenerator<ShownEntry, void, undefined> {
  const keyed = storedTables(operator).find(({ name }) => name === table);
  if (keyed !== undefined) {
    const options = { includeExpired, nowMs, ...(key === undefined ? {} : { key }) };
    for await (const entry of dumpTable(operator, source, table, options)) {
      yield { from: 'table', kind: keyed.kind, entry };
    }
    return;
  }
  if (key !== undefined) throw usage(command, `"${table}" has no keys: it is a list`);
  const position = manifest.enumerators[uid];
  if (table === ENUMERATOR && position !== undefined) {
    yield { from: 'list', subtaskIndex: 0, element: position };
  }
  for (const [subtaskIndex, { lists }] of operator.subtasks.entries()) {
    for (const { name, elements } of lists) {
      if (name !== table) continue;
      for (const element of elements) yield { from: 'list', subtaskIndex, element };
    }
  }
}

async function* limited<T>(items: AsyncIterable<T>, limit: number): AsyncGenerator<T> {
  let left = limit;
  if (left <= 0) return;
  for await (const item of items) {
    yield item;
    if (--left <= 0) return;
  }
}

/**
 * Writes lines as fast as they are taken; ends early, and quietly, if nobody reads them any more.
 *
 * @returns how many there were
 */
async function writeLines(terminal: Terminal, lines: AsyncIterable<string>): Promise<number> {
  let chunk = '';
  let count = 0;
  for await (const line of lines) {
    chunk += line;
    count++;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    terminal.out(chunk);
    chunk = '';
    if (!(await terminal.outTaken())) return count;
  }
  terminal.out(chunk);
  await terminal.outTaken();
  return count;
}

function chosenOperator(
  { operators, checkpointId }: Manifest,
  wanted: string | undefined,
): readonly [string, OperatorManifest] {
  const uids = Object.keys(operators);
  if (wanted === undefined) throw usage(command, `--operator is missing: ${listed(uids)}`);
  if (Object.hasOwn(operators, wanted)) return [wanted, operators[wanted]!];
  throw new StateNotFoundError(
    `checkpoint ${checkpointId} has no operator "${wanted}"`,
    { checkpointId, operatorUid: wanted, table: null },
    { hint: `${meant(wanted, uids)}It has: ${listed(uids)}.` },
  );
}

function chosenTable(
  { checkpointId, enumerators }: Manifest,
  operatorUid: string,
  operator: OperatorManifest,
  wanted: string | undefined,
): string {
  const lists = operator.subtasks.flatMap((subtask) => subtask.lists.map(({ name }) => name));
  const names = new Set([
    ...storedTables(operator).map(({ name }) => name),
    ...lists,
    ...(Object.hasOwn(enumerators, operatorUid) ? [ENUMERATOR] : []),
  ]);
  if (wanted === undefined) {
    const has = names.size === 0 ? 'none' : listed(names);
    throw usage(command, `--table is missing; operator "${operatorUid}" has: ${has}`);
  }
  if (names.has(wanted)) return wanted;
  throw new StateNotFoundError(
    `operator "${operatorUid}" has no table "${wanted}" in checkpoint ${checkpointId}`,
    { checkpointId, operatorUid, table: wanted },
    {
      hint:
        names.size === 0 ? 'It has no state.' : `${meant(wanted, names)}It has: ${listed(names)}.`,
    },
  );
}

async function failKey(
  { checkpointId }: Manifest,
  operatorUid: string,
  operator: OperatorManifest,
  table: string,
  source: RunSource,
  key: Key,
  nowMs: number,
): Promise<never> {
  const found: string[] = [];
  for (const other of alikeKeys(key)) {
    const entries = dumpTable(operator, source, table, { key: other, nowMs });
    for await (const entry of entries) {
      found.push(`--key '${formatKey(entry.key)}'`);
      break;
    }
  }
  const expired = dumpTable(operator, source, table, { key, nowMs, includeExpired: true });
  const hasExpired = (await expired.next()).done !== true;
  const hint =
    found.length > 0
      ? `Keys have types: did you mean ${found.join(' or ')}?`
      : hasExpired
        ? 'It has expired; --include-expired shows it.'
        : 'Without --key all keys are shown; 42, "42" and 42n are three different ones.';
  throw new StateNotFoundError(
    `table "${table}" of operator "${operatorUid}" has no key ${formatKey(key)}`,
    { checkpointId, operatorUid, table },
    { hint },
  );
}

function meant(wrong: string, names: Iterable<string>): string {
  const nearest = nearestWord(wrong, names);
  return nearest === null ? '' : `Did you mean "${nearest}"? `;
}

function listed(names: Iterable<string>): string {
  return [...names].join(', ');
}
