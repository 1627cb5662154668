import { assert } from '../base/assert.ts';
import type { Environment } from '../base/environment.ts';
import { messageOf } from '../base/errors.ts';
import {
  alivePath,
  CHECKPOINT_PREFIX,
  checkpointIdOf,
  LOG_PREFIX,
  slotPath,
} from '../checkpoint/paths.ts';
import {
  type CheckpointSlot,
  type ClaimSlot,
  countingSequences,
  decodeSlot,
  encodeSlot,
  judgeSlot,
  type LogEntry,
  type LogState,
  prunableSequences,
  readLog,
  type Slot,
} from '../checkpoint/slot-log.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { StorageFullError } from '../storage/storage-errors.ts';
import { JobFencedError } from './coordinator-errors.ts';
import { backoff, mayRetry, withRetries } from './storage-retry.ts';

/** Claims again after so many slots, so that the log stays short. */
const RENEWAL_SLOT_COUNT = 100;
const READ_ATTEMPTS = 5;
/** A storage that is full may have room soon, but whoever runs the job must get to know it. */
const FULL_REPETITIONS = 5;

/** What a claim says beyond what the log itself knows. */
export type ClaimDecision = Pick<ClaimSlot, 'instanceId' | 'isFresh'>;

/** What the owner must know to complete a checkpoint. */
export type Completion = Pick<
  CheckpointSlot,
  'checkpointId' | 'snapshotKind' | 'isStop' | 'manifest' | 'manifestCrc32'
>;

/** What a claim needs. */
export interface ClaimOptions {
  /** Rooted at the job's own directory. */
  readonly storage: CheckpointStorage;
  readonly environment: Environment;
  readonly jobName: string;
  /** Called with the log just before each try; throws to give up without having claimed. */
  readonly decide: (log: LogState) => ClaimDecision;
}

/** Reads the log without claiming it. @throws CorruptLogError */
export async function readLogOf(
  storage: CheckpointStorage,
  environment: Environment,
): Promise<{ readonly entries: readonly LogEntry[]; readonly log: LogState }> {
  for (let repetition = 0; ; repetition++) {
    const objects = await withRetries(environment, READ_ATTEMPTS, () => storage.list(LOG_PREFIX));
    const sequences = countingSequences(objects.map(({ name }) => name));
    const entries: LogEntry[] = [];
    try {
      for (const sequence of sequences) {
        const name = slotPath(sequence);
        const bytes = await withRetries(environment, READ_ATTEMPTS, () => storage.get(name));
        entries.push({ sequence, slot: decodeSlot(bytes, name) });
      }
      return { entries, log: readLog(entries) };
    } catch (error) {
      // The owner may have pruned between the list and the read; then the list has changed.
      const now = await storage.list(LOG_PREFIX);
      const isSame = now.length === objects.length && now[0]?.name === objects[0]?.name;
      if (isSame || repetition === READ_ATTEMPTS) throw error;
    }
  }
}

/**
 * The owner of a job's log of slots: the only one who can complete checkpoints, until somebody else
 * claims. Protocol and invariants L1 to L5: checkpoint/slot-log.ts.
 *
 * Calls come one at a time. After a JobFencedError every call throws it.
 */
export class LogOwner {
  readonly generation: number;
  readonly instanceId: string;
  /** The log as it was when it was claimed, this claim included. */
  readonly claimedLog: LogState;
  readonly #storage: CheckpointStorage;
  readonly #environment: Environment;
  readonly #jobName: string;
  readonly #writer: string;
  #sequences: number[];
  #claims: number[];
  #isFenced = false;
  #isAbandoned = false;
  #nextId: number;
  #beat = 0;

  private constructor(options: ClaimOptions, writer: string, entries: readonly LogEntry[]) {
    this.#storage = options.storage;
    this.#environment = options.environment;
    this.#jobName = options.jobName;
    this.#writer = writer;
    const { sequence, slot } = entries.at(-1)!;
    this.generation = sequence;
    this.instanceId = slot.instanceId;
    this.claimedLog = readLog(entries);
    this.#nextId = this.claimedLog.nextCheckpointId;
    this.#sequences = entries.map((entry) => entry.sequence);
    this.#claims = entries.filter((e) => e.slot.kind === 'claim').map((e) => e.sequence);
  }

  /**
   * Takes the job over, at once: whoever owned it is fenced from here on.
   *
   * @throws CorruptLogError
   */
  static async claim(options: ClaimOptions): Promise<LogOwner> {
    const { storage, environment, jobName } = options;
    const writer = environment.random.hex(8);
    for (;;) {
      const { entries, log } = await readLogOf(storage, environment);
      const sequence = log.highestSequence + 1;
      const slot: ClaimSlot = {
        kind: 'claim',
        generation: sequence,
        jobName,
        ...options.decide(log),
        nextCheckpointId: await firstUnusedId(storage, environment, log),
        writer,
        atMs: environment.clock.nowMs(),
      };
      const outcome = await winSlot(storage, environment, sequence, slot, () => false);
      if (outcome === 'won') {
        return new LogOwner(options, writer, [...entries, { sequence, slot }]);
      }
    }
  }

  /** Another process owns the log; found out by a call that threw. */
  get isFenced(): boolean {
    return this.#isFenced;
  }

  /** The log says that no later owner uses a checkpoint id below this one. */
  get nextCheckpointId(): number {
    return this.#nextId;
  }

  /** The last slot that this owner knows of. */
  get highestSequence(): number {
    return this.#sequences.at(-1)!;
  }

  /**
   * Wins the next slot for a checkpoint whose manifest is durable: then, and only then, it is
   * complete. Repeats calls with unknown outcome until the outcome is known.
   *
   * @throws JobFencedError
   * @throws StorageFullError: it certainly is not complete
   */
  async complete(
    completion: Completion,
  ): Promise<{ readonly sequence: number; readonly slot: CheckpointSlot }> {
    const slot: CheckpointSlot = {
      kind: 'checkpoint',
      generation: this.generation,
      jobName: this.#jobName,
      instanceId: this.instanceId,
      ...completion,
      writer: this.#writer,
      atMs: this.#environment.clock.nowMs(),
    };
    return { sequence: await this.#win(slot), slot };
  }

  /**
   * Shortens the log. Failures are ignored: the next call tries again.
   *
   * @param retained slots of the complete checkpoints that are kept
   * @throws JobFencedError
   */
  async prune(retained: readonly number[], nextCheckpointId: number): Promise<void> {
    if (this.highestSequence - this.#claims.at(-1)! >= RENEWAL_SLOT_COUNT) {
      this.#claims.push(await this.#claimAgain(nextCheckpointId, false));
    }
    const prunable = prunableSequences(this.#sequences, this.#claims, retained);
    try {
      for (const sequence of prunable) {
        await this.#storage.delete(slotPath(sequence));
        this.#sequences.shift();
      }
      this.#claims = this.#claims.filter((claim) => claim >= this.#sequences[0]!);
    } catch (error) {
      if (!mayRetry(error)) throw error;
    }
  }

  /** Declares that no checkpoint so far counts any more; their files may go afterwards. */
  async forgetAll(nextCheckpointId: number): Promise<void> {
    this.#claims.push(await this.#claimAgain(nextCheckpointId, true));
    await this.prune([], nextCheckpointId);
  }

  /**
   * Makes sure that this process is still the owner at this moment. Objects that were seen before
   * the call are not those of a later owner.
   *
   * @throws JobFencedError
   */
  async confirm(): Promise<void> {
    if (this.#isFenced) throw this.#fenced();
    const objects = await this.#storage.list(LOG_PREFIX);
    const highest = countingSequences(objects.map(({ name }) => name)).at(-1) ?? 0;
    if (highest <= this.highestSequence) return;
    this.#isFenced = true;
    throw this.#fenced();
  }

  /** Shows that the owner lives: a hint for a process that stands by. Never throws. */
  async beat(): Promise<void> {
    const beat = ++this.#beat;
    try {
      await this.#storage.put(alivePath(this.generation, beat), [new Uint8Array([10])]);
      if (beat > 1) await this.#storage.delete(alivePath(this.generation, beat - 1));
    } catch (error) {
      this.#environment.logger.log('debug', 'heartbeat failed', { error });
    }
  }

  /** Takes the sign of life away, so that a standby need not wait. Never throws. */
  async release(): Promise<void> {
    try {
      await this.#storage.delete(alivePath(this.generation, this.#beat));
    } catch (error) {
      this.#environment.logger.log('debug', 'release failed', { error });
    }
  }

  /** Gives up waiting for unknown outcomes: calls under way reject, later ones too. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  #claimAgain(nextCheckpointId: number, isFresh: boolean): Promise<number> {
    return this.#win({
      kind: 'claim',
      generation: this.generation,
      jobName: this.#jobName,
      instanceId: this.instanceId,
      isFresh,
      nextCheckpointId,
      writer: this.#writer,
      atMs: this.#environment.clock.nowMs(),
    });
  }

  async #win(slot: Slot): Promise<number> {
    if (this.#isFenced) throw this.#fenced();
    const sequence = this.highestSequence + 1;
    const outcome = await winSlot(
      this.#storage,
      this.#environment,
      sequence,
      slot,
      () => this.#isAbandoned,
    );
    assert(sequence === this.highestSequence + 1, 'calls of the owner come one at a time');
    if (outcome === 'lost') {
      this.#isFenced = true;
      throw this.#fenced();
    }
    this.#sequences.push(sequence);
    const usedId = slot.kind === 'claim' ? slot.nextCheckpointId : slot.checkpointId + 1;
    this.#nextId = Math.max(this.#nextId, usedId);
    return sequence;
  }

  #fenced(): JobFencedError {
    const { location } = this.#storage;
    return new JobFencedError(
      `another process has taken over job "${this.#jobName}" in ${location}`,
      { location, generation: this.generation },
      { hint: 'Do not restart this process; the other one goes on with the job.' },
    );
  }
}

// Also above all manifests that nobody completed: they are deleted by this owner, at a time when he
// may have been replaced without knowing it. No later owner may use such a name (sweep.ts, G1).
async function firstUnusedId(
  storage: CheckpointStorage,
  environment: Environment,
  log: LogState,
): Promise<number> {
  const objects = await withRetries(environment, READ_ATTEMPTS, () =>
    storage.list(CHECKPOINT_PREFIX),
  );
  const ids = objects.map(({ name }) => checkpointIdOf(name) ?? 0);
  return Math.max(log.nextCheckpointId, ...ids.map((id) => id + 1));
}

async function winSlot(
  storage: CheckpointStorage,
  environment: Environment,
  sequence: number,
  slot: Slot,
  isAbandoned: () => boolean,
): Promise<'won' | 'lost'> {
  const name = slotPath(sequence);
  const bytes = encodeSlot(slot);
  let isUnknown = false; // an earlier call may have its effect later
  for (let repetition = 0; ; repetition++) {
    try {
      const created = await storage.createIfAbsent(name, bytes);
      const before = created === 'created' ? null : await slotAt(storage, name);
      if (before === 'gone') return 'lost';
      const objects = await storage.list(LOG_PREFIX);
      const highest = countingSequences(objects.map((object) => object.name)).at(-1) ?? 0;
      const outcome = judgeSlot(slot, sequence, created, before, highest);
      if (outcome !== 'unknown') return outcome;
    } catch (error) {
      if (!mayRetry(error) || isAbandoned()) throw error;
      isUnknown ||= !(error instanceof StorageFullError);
      if (repetition >= FULL_REPETITIONS && !isUnknown && (await isAbsent(storage, name))) {
        throw error;
      }
      if (repetition === FULL_REPETITIONS) {
        environment.logger.log('warn', 'the log of checkpoints cannot be written; trying again', {
          error: messageOf(error),
        });
      }
    }
    await backoff(environment, repetition); // L5
  }
}

async function isAbsent(storage: CheckpointStorage, name: string): Promise<boolean> {
  const objects = await storage.list(name).catch(() => null);
  return objects?.length === 0;
}

// A slot that exists and cannot be found a moment later was pruned by a newer owner.
async function slotAt(storage: CheckpointStorage, name: string): Promise<Slot | 'gone'> {
  try {
    return decodeSlot(await storage.get(name), name);
  } catch (error) {
    if (mayRetry(error)) throw error;
    const objects = await storage.list(name);
    if (objects.length === 0) return 'gone';
    throw error;
  }
}
