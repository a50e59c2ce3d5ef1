/**
 * Clients that share few jobs, queues and idempotency keys, so that their calls overlap. They log what they saw of each,
 * for a checker. No call is repeated: one without an answer stays open.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@muster-jobs/sdk';
import { stateOf } from '../../../server/domain/jobs/job-state.ts';
import type { Dice } from '../harness/dice.ts';
import { isUnknown, reasonOf } from '../harness/outcomes.ts';
import { repeated } from './repeated.ts';
import { VARIETY } from './variety.ts';

/** As `test/chaos/linearizable` reads it. */
export interface Operation {
  readonly kind: Kind;
  readonly object: string;
  readonly client: number;
  readonly op: string;
  /** µs on the monotonic clock of this process. */
  readonly call: number;
  /** Null: there was no answer. */
  readonly return: number | null;
  readonly answer: Answer | null;
}

type Kind = 'job' | 'queue' | 'key';

export interface Answer {
  readonly value?: string;
  readonly attempt?: number;
  readonly existing?: boolean;
  readonly refusal?: string;
}

const CLIENTS = 4;
const CALL_MS = 2_500;
const MAX_PAUSE_MS = 60;
const MAX_DELAY_MS = 3_000;
/** Operations on one object, and those of them without an answer: with more, a check would take too long. */
const MAX_OPERATIONS = 60;
const MAX_OPEN = 6;

/** The object of a kind that the clients share at the moment. */
interface Shared {
  readonly object: Promise<string>;
  operations: number;
  open: number;
}

type Call = (client: Client, object: string) => Promise<Answer>;

const nothing = async (changed: Promise<unknown>): Promise<Answer> => {
  await changed;
  return {};
};

const seen = async (job: Promise<{ readonly state: number; readonly attempt: number }>): Promise<Answer> => {
  const { state, attempt } = await job;
  return { value: stateOf(state), attempt };
};

const calls: Readonly<Record<Kind, Readonly<Record<string, Call>>>> = {
  job: {
    read: (client, job) => seen(client.get(job)),
    pause: (client, job) => seen(client.pause(job)),
    resume: (client, job) => seen(client.resume(job)),
    cancel: (client, job) => seen(client.cancel(job)),
  },
  queue: {
    read: async (client, queue) => ({ value: (await client.getQueue(queue)).paused ? 'paused' : 'active' }),
    pause: (client, queue) => nothing(client.pauseQueue(queue)),
    resume: (client, queue) => nothing(client.resumeQueue(queue)),
  },
  key: {
    submit: async (client, idempotencyKey) => {
      const { jobId, existing } = await client.submit('play', { give: idempotencyKey }, { idempotencyKey });
      return { value: jobId, existing };
    },
  },
};

/** As often as they are named. */
const choices: Readonly<Record<Kind, readonly string[]>> = {
  job: 'read read read read read read read read pause pause resume resume cancel'.split(' '),
  queue: ['read', 'read', 'pause', 'resume'],
  key: ['submit'],
};

export class Registers {
  readonly history: Operation[] = [];
  readonly #clients: readonly Client[];
  readonly #dice: Dice;
  #over = new AbortController();
  readonly #shared = new Map<Kind, Shared>();
  readonly #used: Readonly<Record<Kind, string[]>> = { job: [], queue: [], key: [] };
  #isBroken = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(address: string, dice: Dice) {
    const options = { address, namespace: VARIETY, retry: { maxAttempts: 1 }, timeoutMs: CALL_MS };
    this.#clients = Array.from({ length: CLIENTS }, () => new Client(options));
    this.#dice = dice;
  }

  start(): void {
    this.#running = Promise.all(this.#clients.map((client, n) => this.#call(client, n, this.#dice.fork())));
    // `finish` rethrows a failure.
    this.#running.catch(() => {});
  }

  /** Ends it; no job waits for a client any more. The deployment is whole. @throws the error of a client */
  async finish(): Promise<void> {
    this.#over.abort();
    await this.#running;
    const [client] = this.#clients as [Client];
    for (const job of this.#used.job) {
      await repeated(() => client.cancel(job)).catch((error: unknown) => {
        if (refusalOf(error) !== 'JOB_ENDED') throw error;
      });
    }
    for (const queue of this.#used.queue) await repeated(() => client.resumeQueue(queue));
    this.#close();
  }

  /** No call is in progress while `restore` works, and none names an object of before afterwards. */
  async throughRestore<T>(restore: () => Promise<T>): Promise<T> {
    this.#over.abort();
    await this.#running;
    this.#shared.clear();
    try {
      return await restore();
    } finally {
      this.#over = new AbortController();
      if (!this.#isBroken) this.start();
    }
  }

  breakOff(): void {
    this.#isBroken = true;
    this.#over.abort();
    this.#close();
  }

  #close(): void {
    for (const client of this.#clients) client.close();
  }

  async #call(client: Client, n: number, dice: Dice): Promise<void> {
    while (!this.#over.signal.aborted) {
      const kind = dice.pick(['job', 'queue', 'key'] as const);
      const shared = this.#current(kind, client, dice);
      await this.#operate({ shared, kind, client, n, op: dice.pick(choices[kind]) });
      await delay(dice.int(0, MAX_PAUSE_MS));
    }
  }

  async #operate({ shared, kind, client, n, op }: Operating): Promise<void> {
    const object = await shared.object;
    const call = now();
    const log = (answer: Answer | null) =>
      this.history.push({ kind, object, client: n, op, call, return: answer && now(), answer });
    shared.operations++;
    try {
      log(await (calls[kind][op] as Call)(client, object));
    } catch (error) {
      if (!isUnknown(error) && !this.#isBroken) {
        log({ refusal: refusalOf(error) });
        return;
      }
      log(null);
      if (op !== 'read') shared.open++;
    }
  }

  #current(kind: Kind, client: Client, dice: Dice): Shared {
    const current = this.#shared.get(kind);
    if (current && current.operations < MAX_OPERATIONS && current.open < MAX_OPEN) return current;
    const next = { object: this.#make(kind, client, dice), operations: 0, open: 0 };
    this.#shared.set(kind, next);
    return next;
  }

  async #make(kind: Kind, client: Client, dice: Dice): Promise<string> {
    const requestId = randomUUID();
    const name = `register-${requestId}`;
    const delayMs = dice.int(0, MAX_DELAY_MS);
    if (kind === 'queue') await repeated(() => client.createQueue(name, {}, { requestId }));
    const submit = () => client.submit('play', { give: name }, { requestId, delayMs });
    const object = kind === 'job' ? (await repeated(submit)).jobId : name;
    this.#used[kind].push(object);
    return object;
  }
}

interface Operating {
  readonly shared: Shared;
  readonly kind: Kind;
  readonly client: Client;
  readonly n: number;
  readonly op: string;
}

const now = () => Math.round(performance.now() * 1_000);

const refusalOf = (error: unknown) => reasonOf(error).split(':', 1)[0] ?? '';
