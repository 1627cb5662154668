import { CHECKPOINT_OPTION_SPECS } from './checkpoint-options.ts';
import { MEMORY_OPTION_SPECS } from './memory-options.ts';
import { describeRange, type OptionSpec } from './option.ts';
import { RESTART_OPTION_SPECS } from './restart-strategy.ts';

const RESTART_INTROS: Readonly<Record<keyof typeof RESTART_OPTION_SPECS, string>> = {
  none: 'The first failure fails the job. No options.',
  fixedDelay: 'A number of restarts, each after the same delay. The count is never reset.',
  failureRate: 'Restarts as long as failures do not come too often.',
  exponentialDelay:
    'The default. Delays grow from failure to failure; failures while a restart is waited for ' +
    'belong to it.',
};

/**
 * The text of docs/reference/configuration.md, made from the options as they are checked. A test
 * compares the page with it; to renew the page, write what this function returns.
 */
export function configurationReference(): string {
  const restarts = Object.entries(RESTART_OPTION_SPECS).map(([kind, specs]) => {
    const intro = RESTART_INTROS[kind as keyof typeof RESTART_INTROS];
    return `### \`${kind}\`\n\n${intro}\n${tableOf(specs)}`;
  });
  return `# Configuration

Made from the options' own descriptions (\`packages/core/src/config\`); change them there.
Times are in milliseconds, as the names say. A value that is not allowed, or a name that does not
exist, is refused before anything starts ([INVALID_OPTION](errors.md)).

## Checkpoints

\`run(job, { checkpoints: { ... } })\`. Without it there are none, and a failure starts the
job from the beginning.
${tableOf(CHECKPOINT_OPTION_SPECS)}
## Memory

\`run(job, { memory: { ... } })\`, or \`millrace run --state-memory 256mb\`. One budget for all
operators of a process; see [the state store](../internals/state-store.md). A job without
checkpoints has nowhere to put what does not fit: all of its state stays in memory.
${tableOf(MEMORY_OPTION_SPECS)}
## Restarts

\`run(job, { restart: { kind: '...', ... } })\`: what happens after a failure. Errors
that a restart cannot help against (\`retry: never\`) fail the job at once.

${restarts.join('\n')}`;
}

function tableOf(specs: readonly OptionSpec[]): string {
  if (specs.length === 0) return '';
  const rows = specs.map(({ name, range, fallback, doc }) => {
    const shown = fallback === undefined ? 'must be given' : `\`${fallback}\``;
    return `| \`${name}\` | ${shown} | ${describeRange(range)} | ${doc} |`;
  });
  return `\n| Option | Default | Allowed | Meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}
