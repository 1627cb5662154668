import type { Clock, Random, Scheduler } from '@millrace/core/host';
import {
  NO_FAULTS,
  SERVER_FAULTS,
  type ServerFailure,
  type ServerFault,
  type ServerFaultRates,
} from './server-faults.ts';

/** Who calls a server: every `Environment` fits; of a `VirtualEnvironment` its death is seen. */
export interface ServerClient {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Left out: alive. */
  readonly isAlive?: boolean;
  readonly trace?: { note(line: string): void };
}

/** A call as a fault hook sees it. */
export interface ServerCall {
  /** Operation and object, for example `get log/0000000001.json`. */
  readonly label: string;
  /** Counts all calls on the server from 1. */
  readonly index: number;
}

/** One call: what it does in the server, and how its client hears of a failure. */
export interface ServerRequest<T> {
  readonly label: string;
  /** Runs in one turn, at most once; what it throws is told to the client. */
  readonly effect: () => T;
  readonly errorOf: (failure: ServerFailure) => Error;
}

/** How a server behaves, in milliseconds of virtual time. */
export interface VirtualServerOptions {
  /** Decides delays, faults and what becomes of the calls of dead processes. */
  readonly random: Random;
  /** The longest way to the server, or back. Default 3; half of the ways take no time. */
  readonly latencyMs?: number;
  /** When a client gives up. Default 2 000. */
  readonly timeoutMs?: number;
  /** The longest delay of a `slow` call. Default 1 000. */
  readonly slowMs?: number;
  /** The longest delay of a `late` call, and of one in flight when its process died. 10 000. */
  readonly lateMs?: number;
  /** How long an outage or a denial lasts at most. Default 3 000. */
  readonly spellMs?: number;
}

interface InFlight {
  readonly client: ServerClient;
  readonly land: () => void;
  dueMs: number;
  isPostponed: boolean;
}

interface Spell {
  readonly failure: ServerFailure;
  readonly untilMs: number;
}

const DEFAULTS = { latencyMs: 3, timeoutMs: 2_000, slowMs: 1_000, lateMs: 10_000, spellMs: 3_000 };

/**
 * What virtual servers have in common: calls take time, fail, and outlive their callers. A server
 * belongs to no process and to no machine: it goes on when they crash.
 *
 *   client --request--> in flight --due--> effect --reply--> client
 *               |            |
 *               |            +--its process is dead: by seed it lands, later, or never
 *               +--fault: not done, or nobody hears of it
 *
 * N1. An effect happens in one turn; a crash or a takeover can come before and after it.
 * N2. Between two calls of one client the order of effects is free: wait for the first reply.
 * N3. A call of a dead process never resolves. What it had sent may still be done, much later.
 * N4. The server's own clock follows the monotonic clocks of its clients: a process whose wall
 *     clock jumps does not move it. What is due happens before anybody could have seen that it
 *     had not.
 */
export class VirtualServer {
  /** Asked first, for each call: a fault, or undefined to draw one by the rates. */
  fault: (call: ServerCall) => ServerFault | undefined = () => undefined;
  /** How often each fault was injected so far. */
  readonly injected: Record<ServerFault, number> = { ...NO_FAULTS };
  readonly #random: Random;
  readonly #options: typeof DEFAULTS;
  readonly #clocks = new WeakMap<Clock, number>();
  #rates: ServerFaultRates = NO_FAULTS;
  #inFlight: InFlight[] = [];
  /** In order of time. */
  #agenda: { readonly dueMs: number; readonly run: () => void }[] = [];
  #spell: Spell | null = null;
  #nowMs = 0;
  #calls = 0;

  constructor(options: VirtualServerOptions) {
    this.#random = options.random;
    this.#options = { ...DEFAULTS, ...options };
  }

  /** The server's own time. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Calls so far. */
  get calls(): number {
    return this.#calls;
  }

  /** Switches faults on; those not named are off. `setFaults()` is a good server at once. */
  setFaults(rates: Partial<ServerFaultRates> = {}): void {
    this.#rates = { ...NO_FAULTS, ...rates };
    this.#spell = null;
  }

  /** Lets time pass without any client: see N3 and N4. For looking at a server after a run. */
  advance(byMs: number): void {
    this.#nowMs += byMs;
    this.#catchUp();
  }

  /** Something that the server does by itself, after `delayMs`. */
  after(delayMs: number, run: () => void): void {
    const dueMs = this.#nowMs + delayMs;
    let at = this.#agenda.length;
    while (at > 0 && this.#agenda[at - 1]!.dueMs > dueMs) at--;
    this.#agenda.splice(at, 0, { dueMs, run });
  }

  /** A delay up to `mostMs`, by the seed; one in two is 0. */
  delay(mostMs: number): number {
    return this.#random.next() < 0.5 ? 0 : this.#random.next() * mostMs;
  }

  /** Sends a request. Must be called in a turn of the client. */
  call<T>(client: ServerClient, request: ServerRequest<T>): Promise<T> {
    this.#observe(client.clock);
    this.#catchUp();
    const { label, effect, errorOf } = request;
    const fault = this.#draw(label);
    if (fault !== undefined) client.trace?.note(`server ${label}: ${fault}`);
    const { latencyMs, timeoutMs, slowMs, lateMs } = this.#options;
    return new Promise<T>((resolve, reject) => {
      const tell = (delayMs: number, report: () => void): void =>
        void client.scheduler.after(delayMs, report);
      const fail = (delayMs: number, failure: ServerFailure): void =>
        tell(delayMs, () => reject(errorOf(failure)));
      const unheard = (delayMs: number): void => {
        this.#send(client, delayMs, () => void outcomeOf(effect));
        fail(timeoutMs, 'timeout');
      };
      const heard = (delayMs: number, replyMs: number): void =>
        this.#send(client, delayMs, () => {
          const outcome = outcomeOf(effect);
          tell(replyMs, () => (outcome.isDone ? resolve(outcome.value) : reject(outcome.error)));
        });
      const wayMs = this.delay(latencyMs);
      const backMs = this.delay(latencyMs);
      switch (fault) {
        case undefined:
          return heard(wayMs, backMs);
        case 'slow':
          return heard(this.#random.next() * slowMs, this.#random.next() * slowMs);
        case 'throttled':
          return fail(wayMs, 'throttled');
        case 'refused':
        case 'outage':
          return fail(wayMs, 'unavailable');
        case 'denial':
          return fail(wayMs, 'denied');
        case 'lostRequest':
          return fail(timeoutMs, 'timeout');
        case 'lostReply':
          return unheard(wayMs);
        case 'late':
          return unheard(this.#random.next() * lateMs);
      }
    });
  }

  #send(client: ServerClient, delayMs: number, land: () => void): void {
    const dueMs = this.#nowMs + delayMs;
    const call: InFlight = { client, land, dueMs, isPostponed: false };
    this.#inFlight.push(call);
    client.scheduler.after(delayMs, () => {
      this.#observe(client.clock);
      this.#catchUp();
      if (this.#take(call)) call.land();
    });
  }

  #draw(label: string): ServerFault | undefined {
    const planned = this.fault({ label, index: ++this.#calls });
    if (planned !== undefined) return this.#inject(planned);
    if (this.#spell !== null && this.#nowMs < this.#spell.untilMs) {
      return this.#spell.failure === 'denied' ? 'denial' : 'outage';
    }
    this.#spell = null;
    let chance = this.#random.next();
    for (const fault of SERVER_FAULTS) {
      chance -= this.#rates[fault];
      if (chance < 0) return this.#inject(fault);
    }
    return undefined;
  }

  #inject(fault: ServerFault): ServerFault {
    this.injected[fault]++;
    if (fault === 'outage' || fault === 'denial') {
      const failure = fault === 'denial' ? 'denied' : 'unavailable';
      this.#spell = {
        failure,
        untilMs: this.#nowMs + this.#random.next() * this.#options.spellMs,
      };
    }
    return fault;
  }

  // N4. A clock that is new (another life, another process) begins at the server's time or later.
  #observe(clock: Clock): void {
    let startMs = this.#clocks.get(clock);
    if (startMs === undefined) {
      startMs = Math.max(this.#nowMs, clock.nowMs()) - clock.monotonicMs();
      this.#clocks.set(clock, startMs);
    }
    this.#nowMs = Math.max(this.#nowMs, startMs + clock.monotonicMs());
  }

  // In the order of their times: what the server does by itself, and what came from processes that
  // sleep or are dead. What is due at this very moment and belongs to a living process waits for
  // the turn that the seed gives it.
  #catchUp(): void {
    for (;;) {
      const call = this.#earliestDue();
      const own = this.#agenda[0];
      if (own !== undefined && own.dueMs <= Math.min(this.#nowMs, call?.dueMs ?? this.#nowMs)) {
        this.#agenda.shift();
        own.run();
      } else if (call === undefined) {
        return;
      } else if (call.client.isAlive !== false || this.#survives(call)) {
        if (this.#take(call)) call.land();
      }
    }
  }

  #earliestDue(): InFlight | undefined {
    let found: InFlight | undefined;
    for (const call of this.#inFlight) {
      if (call.dueMs < (found?.dueMs ?? this.#nowMs)) found = call;
    }
    return found;
  }

  // N3. @returns whether it lands now
  #survives(call: InFlight): boolean {
    const fate = this.#random.next();
    if (fate < 1 / 3) {
      this.#take(call);
      return false;
    }
    if (fate < 2 / 3 || call.isPostponed) return true;
    call.isPostponed = true;
    call.dueMs += this.#random.next() * this.#options.lateMs;
    return false;
  }

  #take(call: InFlight): boolean {
    const index = this.#inFlight.indexOf(call);
    if (index >= 0) this.#inFlight.splice(index, 1);
    return index >= 0;
  }
}

type Outcome<T> =
  | { readonly isDone: true; readonly value: T }
  | { readonly isDone: false; readonly error: unknown };

function outcomeOf<T>(effect: () => T): Outcome<T> {
  try {
    return { isDone: true, value: effect() };
  } catch (error) {
    return { isDone: false, error };
  }
}
