/** Clients under load: they submit, wait and cancel through all faults, and log the answers they get. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, isTerminal, type JobRequest } from '@muster-jobs/sdk';
import type { Dice } from '../harness/dice.ts';
import { isUnknown, reasonOf } from '../harness/outcomes.ts';
import { makeJob } from './mix.ts';

/** One call of a client, with all its repeats under one request id. */
export interface Call {
  readonly kind: 'submit' | 'cancel' | 'pause' | 'resume';
  readonly requestId: string;
  /** Idempotency key of each job of a submission, or '' for none. */
  readonly keys: readonly string[];
  /** The definition of each job of a submission. */
  readonly definitions: readonly string[];
  /** The accepted jobs in the order of the submission, or else the job that the call names. */
  jobs: readonly string[];
  /** `info`: the outcome is unknown. */
  outcome: 'ok' | 'fail' | 'info';
  /** Number of tries whose outcome is unknown. */
  unknown: number;
  /** Time of the first try, and of the last answer, in ms since 1970. */
  readonly beganAt: number;
  endedAt: number;
  /** The state of the job in the answer, or the reason of a refusal. */
  answer: string;
}

export interface LoadOptions {
  readonly address: string;
  readonly callers: number;
  /** Whether a worker has the handler `script`. */
  readonly hasScripts: boolean;
  readonly dice: Dice;
  /** Minimum number of jobs to submit before `enough` is asked. */
  readonly atLeast: number;
  /** Maximum number of jobs. */
  readonly atMost: number;
  /** Whether the load may end. */
  readonly enough: () => boolean;
  /** Maximum number of accepted open jobs, as far as the callers know. */
  readonly backlog: number;
  /** Whether the store may lose an accepted job. Default: no. */
  readonly mayLose?: boolean;
  /** The store's count of open jobs. */
  readonly open: () => Promise<number>;
  /** Whether a restore of a backup may have undone the acceptance of a job. */
  readonly mayBeGone: (job: string) => boolean;
}

const CALL_MS = 2_500;
const GIVE_UP_MS = 180_000;
export class Load {
  readonly calls: Call[] = [];
  /** Job ids that were accepted. */
  readonly accepted: string[] = [];
  /** How much later than its deadline the latest answer was, in ms; without waits, whose limit the SDK extends. */
  latestMs = 0;
  /** The error that ended it early. */
  failure: unknown;
  readonly #options: LoadOptions;
  #submitted = 0;
  #broken = false;
  #times = 1;
  #running: Promise<unknown> = Promise.resolve();
  #open = 0;
  /** Used keys, for repeats by other callers. */
  readonly #keys: { key: string; request: JobRequest }[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  start(): void {
    const callers = Array.from({ length: this.#options.callers }, () => this.#call(this.#options.dice.fork()));
    // `finished` rethrows a failure.
    this.#running = Promise.all([...callers, this.#watchBacklog()]).then(
      () => undefined,
      (error: unknown) => {
        this.failure = error;
      },
    );
  }

  /** Resolves when every caller has finished its calls. @throws the error of a caller. */
  async finished(): Promise<void> {
    await this.#running;
    if (this.failure !== undefined) throw this.failure;
  }

  /** A client of the load, which makes each call once. The caller closes it. */
  client(address = this.#options.address): Client {
    return new Client({ address, retry: { maxAttempts: 1 }, timeoutMs: CALL_MS });
  }

  /** Submits one job outside the mix, with a client of the load. */
  async submit(client: Client, request: JobRequest): Promise<string> {
    const [job = ''] = await this.submitMany(client, [request]);
    return job;
  }

  /** Submits jobs outside the mix in one call, with a client of the load. */
  submitMany(client: Client, requests: readonly JobRequest[]): Promise<readonly string[]> {
    return this.#submit(client, requests, false);
  }

  /** Resumes jobs that are paused by mistake: a pause may arrive late, after its resume. */
  async release(jobs: readonly string[]): Promise<void> {
    const client = this.client();
    try {
      for (const job of jobs) await this.#resume(client, job);
    } finally {
      client.close();
    }
  }

  /** Has that many times the callers and the backlog while `work` runs. */
  async surge(times: number, work: () => Promise<void>): Promise<void> {
    let isOver = false;
    this.#times = times;
    const { callers, dice } = this.#options;
    const more = Array.from({ length: callers * (times - 1) }, () => this.#call(dice.fork(), () => isOver));
    try {
      await work();
    } finally {
      isOver = true;
      this.#times = 1;
      await Promise.all(more);
    }
  }

  /** Ends as soon as possible, without results. */
  breakOff(): void {
    this.#broken = true;
  }

  /** With more open jobs, callers pause. */
  get backlog(): number {
    return this.#options.backlog * this.#times;
  }

  describe(): string {
    const unsure = this.calls.filter((call) => call.outcome === 'info').length;
    return `load: ${this.#submitted} submitted, about ${this.#open} open, ${unsure} calls without an answer, failure ${this.failure}`;
  }

  get #over(): boolean {
    if (this.#broken) return true;
    return (
      (this.#submitted >= this.#options.atLeast && this.#options.enough()) || this.#submitted >= this.#options.atMost
    );
  }

  async #watchBacklog(): Promise<void> {
    while (!this.#over) {
      this.#open = await this.#options.open();
      await delay(100);
    }
  }

  async #call(dice: Dice, isOver = () => this.#over): Promise<void> {
    const client = this.client();
    try {
      while (!isOver() && !this.#broken) {
        if (this.#open > this.backlog) {
          await delay(20);
          continue;
        }
        const keyed = dice.chance(0.15);
        const count = keyed || dice.chance(0.3) ? 1 : dice.int(2, 30);
        const requests = Array.from({ length: count }, () => makeJob(dice, this.#options.hasScripts));
        const jobs = await this.#submit(
          client,
          keyed ? [this.#keyed(dice, requests[0] as JobRequest)] : requests,
          dice.chance(0.1),
        );
        if (dice.chance(0.2)) await this.#hold(client, dice.pick(jobs), dice);
        if (dice.chance(0.25)) await this.#cancel(client, dice.pick(jobs), dice);
        if (dice.chance(0.4)) await this.#waitFor(client, dice.pick(jobs));
        else await delay(dice.int(0, 60));
      }
    } finally {
      client.close();
    }
  }

  #keyed(dice: Dice, fresh: JobRequest): JobRequest {
    const again = this.#keys.length > 0 && dice.chance(0.4) ? dice.pick(this.#keys) : undefined;
    if (again) return again.request;
    const request = { ...fresh, idempotencyKey: `key-${this.#keys.length}-${dice.int(0, 1e9)}` };
    this.#keys.push({ key: request.idempotencyKey, request });
    return request;
  }

  /** Repeats it until it is answered, with the same request id. */
  async #submit(client: Client, requests: readonly JobRequest[], twice: boolean): Promise<readonly string[]> {
    this.#submitted += requests.length;
    const requestId = randomUUID();
    const call = this.#begin('submit', requestId, requests);
    const say = () =>
      requests.length === 1
        ? submitOne(client, requests[0] as JobRequest, requestId)
        : client.submitMany(requests, { requestId });
    const answer = await this.#until(call, async () => {
      // The same call twice at once: both have to return the same jobs.
      const [first, second] = await Promise.all([say(), twice ? say() : undefined]);
      if (second?.some((job, i) => job.jobId !== first[i]?.jobId))
        throw new Error(`request ${requestId} stored two sets of jobs`);
      return first;
    });
    if (!answer) return [];
    call.jobs = answer.map(({ jobId }) => jobId);
    this.accepted.push(...call.jobs);
    return call.jobs;
  }

  async #cancel(client: Client, job: string | undefined, dice: Dice): Promise<void> {
    if (!job) return;
    if (dice.chance(0.5)) await delay(dice.int(0, 400));
    const call = this.#begin('cancel', randomUUID());
    call.jobs = [job];
    const answer = await this.#until(call, () => client.cancel(job, 'by chance', { requestId: call.requestId }));
    if (answer) call.answer = String(answer.state);
  }

  /** Pauses a job and resumes it after a while, also if it is unknown whether the pause was stored. */
  async #hold(client: Client, job: string | undefined, dice: Dice): Promise<void> {
    if (!job) return;
    const pause = this.#begin('pause', randomUUID());
    pause.jobs = [job];
    const paused = await this.#until(pause, () => client.pause(job, 'by chance', { requestId: pause.requestId }));
    if (paused) pause.answer = String(paused.state);
    if (pause.outcome === 'fail') return;
    await delay(dice.int(0, 400));
    await this.#resume(client, job);
  }

  async #resume(client: Client, job: string): Promise<void> {
    const call = this.#begin('resume', randomUUID());
    call.jobs = [job];
    const answer = await this.#until(call, () => client.resume(job, { requestId: call.requestId }));
    if (answer) call.answer = String(answer.state);
  }

  async #waitFor(client: Client, job: string | undefined): Promise<void> {
    if (!job) return;
    try {
      const seen = await client.wait(job, { timeoutMs: 1_500 });
      if (isTerminal(seen.state)) this.#open = Math.max(0, this.#open - 1);
    } catch (error) {
      const mayBeGone = this.#options.mayLose || this.#options.mayBeGone(job);
      if (!isUnknown(error) && !(mayBeGone && reasonOf(error).startsWith('JOB_NOT_FOUND'))) throw error;
    }
  }

  #begin(kind: Call['kind'], requestId: string, requests: readonly JobRequest[] = []): Call {
    const beganAt = Date.now();
    const call: Call = {
      kind,
      requestId,
      keys: requests.map((request) => request.idempotencyKey ?? ''),
      definitions: requests.map(({ definition }) => definition),
      jobs: [],
      outcome: 'info',
      unknown: 0,
      beganAt,
      endedAt: 0,
      answer: '',
    };
    this.calls.push(call);
    return call;
  }

  async #until<T>(call: Call, say: () => Promise<T>): Promise<T | undefined> {
    const end = performance.now() + GIVE_UP_MS;
    while (performance.now() < end && !this.#broken) {
      try {
        const answer = await this.#timed(say);
        call.outcome = 'ok';
        call.endedAt = Date.now();
        return answer;
      } catch (error) {
        if (!isUnknown(error)) return this.#refused(call, error);
        call.unknown++;
        await delay(20 + 80 * Math.random());
      }
    }
    return undefined;
  }

  async #timed<T>(say: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await say();
    } finally {
      this.latestMs = Math.max(this.latestMs, performance.now() - start - CALL_MS);
    }
  }

  /** The only legitimate refusal is that of a call about a job that came too late; every other error is a fault. */
  #refused(call: Call, error: unknown): undefined {
    call.outcome = 'fail';
    call.endedAt = Date.now();
    call.answer = reasonOf(error);
    return undefined;
  }
}

function submitOne(client: Client, request: JobRequest, requestId: string) {
  const { definition, input, ...options } = request;
  return client.submit(definition, input, { ...options, requestId }).then((job) => [job]);
}
