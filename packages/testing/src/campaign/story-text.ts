import type { FaultPlan, FaultRates, LifePlan } from './fault-plan.ts';
import type { SeedOutcome, StoryLine } from './seed-outcome.ts';

const PROBLEMS_SHOWN = 12;

const RATE_TEXTS: Readonly<Record<keyof FaultRates, string>> = {
  userEvery: 'exceptions of user code',
  ioEvery: 'I/O errors',
  threadEvery: 'thread failures',
  commitEvery: 'commit faults',
  slowSinkEvery: 'slow sinks',
  serverEvery: 'server faults',
};

/** What happened and what was wrong, for people. One line each, no line break at the end. */
export function storyText(outcome: SeedOutcome): string {
  const lines = collapsed(outcome.story).map(
    ({ life, turn, atMs, text }) =>
      `${`${life}:${turn}`.padStart(7)} ${atMs.toFixed(1).padStart(10)} ms  ${text}`,
  );
  const shown = outcome.problems.slice(0, PROBLEMS_SHOWN);
  const left = outcome.problems.length - shown.length;
  return [
    `job ${outcome.job}, seed ${outcome.plan.seed}`,
    ...planLines(outcome.plan),
    '',
    'life:turn       time',
    ...lines,
    '',
    ...shown.map(({ oracle, message }) => `${oracle}: ${message}`),
    ...(left > 0 ? [`and ${left} more`] : []),
    outcome.problems.length === 0 ? 'nothing is wrong' : '',
  ]
    .join('\n')
    .trimEnd();
}

function planLines(plan: FaultPlan): string[] {
  return [
    `input size ${plan.inputSize}`,
    ...plan.lives.map((life, index) => `life ${index + 1}: ${lifeText(life)}`),
  ];
}

function lifeText(life: LifePlan): string {
  const parts = [`parallelism ${life.parallelism}`];
  for (const [name, what] of Object.entries(RATE_TEXTS)) {
    const every = life.rates[name as keyof FaultRates];
    if (every > 0) parts.push(`${what}: 1 in ${every}`);
  }
  for (const { kind, atTurn } of life.events) parts.push(`${kind} at ${atTurn}`);
  if (Number.isFinite(life.turns)) parts.push(`${life.end} after ${life.turns} turns`);
  else parts.push('runs to the end of the job');
  if (life.damage !== 'none') parts.push(`then a damaged ${life.damage}`);
  return parts.join(', ');
}

// Hundreds of checkpoints are given up at once when a process wakes up: one line for all.
function collapsed(story: readonly StoryLine[]): StoryLine[] {
  const lines: StoryLine[] = [];
  let count = 0;
  const flush = (): void => {
    if (count > 1) {
      const last = lines.at(-1)!;
      lines[lines.length - 1] = { ...last, text: `${last.text} (and ${count - 1} more)` };
    }
    count = 0;
  };
  for (const line of story) {
    const isAbort = /^checkpoint \d+ is aborted/.test(line.text);
    if (isAbort && count > 0) {
      count++;
      continue;
    }
    flush();
    lines.push(line);
    if (isAbort) count = 1;
  }
  flush();
  return lines;
}
