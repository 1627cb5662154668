// The help texts. docs/reference/cli.md says the same at length; a test compares the option names.

const general = `millrace - stateful stream processing, no server

  millrace run <job.ts>              run a job until it ends or is stopped
  millrace plan <job.ts>             show what would run
  millrace new <name>                make a project that runs at once
  millrace sim <job.ts>              run it in a virtual world, with crashes and faults

  millrace list                      running jobs of this user on this machine
  millrace checkpoint [job]          take a checkpoint now
  millrace savepoint <dir> [job]     take a savepoint, which can be moved and kept
  millrace stop [job]                stop with a last checkpoint (--drain, --savepoint DIR)
  millrace cancel [job]              end at once

  millrace checkpoints ls <dir> [job]      what is stored
  millrace checkpoints show <dir> [job]    what is in the newest checkpoint
  millrace checkpoints verify <dir> [job]  read every byte and compare checksums
  millrace checkpoints gc <dir> [job]      what nothing refers to (--delete removes it)
  millrace state ls|dump <dir> [job]       what is in the state of a checkpoint

  millrace help [command], millrace --version
  millrace help errors [CODE]        what an error means, who can fix it, and how
`;

const perCommand: Readonly<Record<string, string>> = {
  run: `millrace run <job.ts> [options]

  --from latest|none|PATH    where to begin. latest (default): the newest checkpoint of this job,
                             afresh if there is none. none: afresh. PATH: a checkpoint, a savepoint
                             directory or a manifest file
  --param key=value          a parameter of the job; may be given many times
  --checkpoint-dir DIR       a directory, or a URL: s3:, cos:, oss:, webhdfs:, file:. Default:
                             .millrace/checkpoints beside the job's package.json
  --interval TIME            between checkpoints, such as 500ms, 10s, 5m. Default 10s
  --retain N                 complete checkpoints that are kept. Default 1
  --tolerable-failures N     checkpoints in a row that may fail; one more fails the job. Default 0
  --inline-bytes N           state up to N bytes stands in the manifest. Default 16384; 0 = never
  --state-memory SIZE        memory for state, such as 256mb or 2gb; what does not fit is read when
                             it is needed. Default: half of the heap limit
  --parallelism N            subtasks per operator. Default 1
  --max-parallelism N        number of key groups, fixed for the life of the job's state
  --restart STRATEGY         none | fixed:ATTEMPTS:DELAY | rate:FAILURES:INTERVAL:DELAY |
                             exponential[:INITIAL[:MAX]]. Default exponential:1s:1m
  --restore-mode MODE        no-claim: copy what --from names while the job runs (default);
                             claim: it is the job's own from now on, and deleted in the end
  --allow-duplicates         go back behind the newest checkpoint although its output is out
  --allow-dropped-state      drop state whose operator or table is not in the job any more
  --assume-single-writer     vouch that nobody else runs this job, on a storage that cannot tell
  --standby                  wait until the running owner is gone instead of taking over
  --quiet                    failures only
  --json                     one JSON object per event on standard output

  Ctrl-C stops with a last checkpoint; a second Ctrl-C ends at once.
`,
  plan: `millrace plan <job.ts> [options]

  Builds the job's graph and shows its chains; nothing is run.

  --param key=value    a parameter of the job; may be given many times
  --parallelism N      subtasks per operator. Default 1
  --max-parallelism N  number of key groups
  --from latest|PATH   also says what becomes of each state if the job is restored from there: kept,
                       migrated, new, dropped, refused. Exits with 5 if it would be refused
  --checkpoint-dir DIR   where "latest" is looked for; default as for "millrace run"
  --allow-dropped-state  as for "millrace run"
  --json               as data
`,
  new: `millrace new <name>

  Makes the folder <name> with a job, a file of orders, a test and a README.
`,
  sim: `millrace sim <job.ts> [options]

  Runs the job unchanged in a virtual world, with crashes and faults drawn from a seed, and compares
  what it commits with a run without them. Needs the package @millrace/testing. One seed is one
  history: the same on every run and machine.

  --seed N         the seed, or the first of several. Default 1
  --seeds N        so many, up to the first that goes wrong. Default 20; with --seed: 1
  --input PATH     a file or folder that the job reads; may be given many times. Nothing else of
                   the real disk is there
  --param key=value  a parameter of the job; may be given many times
  --no-shrink      do not look for a smaller case when something is wrong
`,
  list: `millrace list [--json]
`,
  checkpoint: `millrace checkpoint [job] [--json]

  job: name or process id; may be left out if just one is running.
`,
  savepoint: `millrace savepoint <dir> [job] [--json]

  Makes a directory of its own in <dir>, self-contained: it can be moved, and is never deleted by
  Millrace. "millrace run <job.ts> --from THAT" begins there.
`,
  stop: `millrace stop [job] [--drain] [--savepoint DIR] [--json]

  --drain            let event time run to its end first, so that all windows and timers fire:
                     only for a job that will not go on
  --savepoint DIR    take a savepoint as the last snapshot
`,
  cancel: `millrace cancel [job] [--json]

  Ends at once; what was not committed is not committed.
`,
  checkpoints: `millrace checkpoints ls|show|verify|gc <dir> [job] [options]

  dir: a checkpoint directory, or a savepoint. job: may be left out if there is just one.
  ls                 jobs and their complete checkpoints, oldest first
  show               the newest checkpoint: operators, tables, files  (--id N: another one)
                     --tables: per table entries, bytes, versions and shapes; entries are counted
                     in operators of up to 64 MiB, with --exact in all
  verify             reads every block of every run and checks all of it; exits with 1 on damage
  gc                 files that no checkpoint refers to. Shows them; --delete removes them, and
                     fences the running owner if there is one; --all explains every file
  --json             as data
`,
  state: `millrace state ls <dir> [job] [--id N] [--exact] [--json]
millrace state dump <dir> [job] --operator O --table T [options]

  Reads the state in a checkpoint or savepoint, without the job and its code. dir: as for
  "millrace checkpoints"; "latest" = the newest in .millrace/checkpoints.

  ls                 operators and their tables, as "checkpoints show --tables"
  dump               the entries of a table, one per line
  --operator O       the operator's id
  --table T          a state's name, a table or list that Millrace keeps, or "enumerator"
  --key K            only this key: 42 a number, 42n a bigint, true a boolean, any other word a
                     string, "42" a string too, ["a", 1] a tuple
  --limit N          at most so many
  --format jsonl     (default) one JSON object per line, nothing is lost
  --format table     for people; long values are cut
  --include-expired  entries too whose TTL is over
  --id N             checkpoint N instead of the newest
`,
};

/** @returns the help text of a command, or the general one; null if there is no such command */
export function helpText(command: string | undefined): string | null {
  if (command === undefined) return general;
  return perCommand[command] ?? null;
}
