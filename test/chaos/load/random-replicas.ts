/**
 * A caller behind a proxy that chooses a replica at random for each connection, and that breaks the connections after
 * each call: one replica continues what another one has begun. It submits jobs, waits for them, reads lists page by
 * page, and follows the events.
 */
import { Client, JobState } from '@muster-jobs/sdk';
import type { JobEvent } from '@muster-jobs/sdk/gen/muster/v1/event_pb';
import { eventually } from '../../support/base/eventually.ts';
import type { Dice } from '../harness/dice.ts';
import { TcpProxy } from '../harness/network/tcp-proxy.ts';
import { reasonOf } from '../harness/outcomes.ts';
import type { ReplicaProcess } from '../harness/replica-process.ts';
import type { Run } from '../harness/run.ts';

const PAGE = 10;
const PAGES = 3;
const WAIT_MS = 60_000;
/** Longest wait without an event, and in all: a reader whose position is refused reads all events again. */
const SILENCE_MS = 60_000;
const EVENTS_MS = 240_000;
const POSITION_GONE = 'EVENT_POSITION_GONE';
const ENDS = [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED];

export class RandomReplicas {
  /** Connections, by the checkout of the replica. */
  readonly connections = new Map<string, number>();
  /** Rounds of calls. */
  rounds = 0;
  /** Positions of events that a replica refused. */
  refusedPositions = 0;
  readonly violations: string[] = [];
  readonly #run: Run;
  readonly #front: TcpProxy;
  readonly #client: Client;
  readonly #jobs = new Set<string>();
  readonly #published = new Set<string>();
  readonly #over = new AbortController();
  #events = 0;
  #lastEvent = performance.now();
  #ended = false;
  #running: Promise<unknown> = Promise.resolve();

  private constructor(run: Run, front: TcpProxy) {
    this.#run = run;
    this.#front = front;
    const retry = { maxAttempts: 1_000, maxBackoffMs: 200 };
    this.#client = new Client({ address: `127.0.0.1:${front.port}`, timeoutMs: 120_000, retry });
  }

  static async start(run: Run, dice: Dice): Promise<RandomReplicas> {
    const callers = new RandomReplicas(run, await TcpProxy.open());
    callers.#front.aim(() => callers.#choose(run.deployment.replicas, dice));
    const work = [callers.#call(), callers.#follow()];
    callers.#running = Promise.all(work).catch((error: unknown) => {
      callers.violations.push(`calls through a proxy: ${reasonOf(error)} ${(error as Error).stack}`);
    });
    return callers;
  }

  /** Waits for the events of all its jobs. Returns what was wrong. */
  async finish(): Promise<readonly string[]> {
    this.#ended = true;
    const lacking = () => [...this.#jobs].filter((job) => !this.#published.has(job));
    const began = performance.now(); // before, replicas were away on purpose
    const isSilent = () => performance.now() - Math.max(began, this.#lastEvent) > SILENCE_MS;
    const isOver = () => this.violations.length > 0 || lacking().length === 0 || isSilent();
    await eventually('each job has its event', isOver, { timeoutMs: EVENTS_MS }).catch(() => undefined);
    if (lacking().length > 0) this.violations.push(this.#lacks(lacking()));
    await this.stop();
    return this.violations;
  }

  async stop(): Promise<void> {
    this.#ended = true;
    this.#over.abort();
    await this.#running;
    this.#client.close();
    await this.#front.close();
  }

  #lacks(jobs: readonly string[]): string {
    const read = `${this.#events} events read, the last one ${Math.round(performance.now() - this.#lastEvent)} ms ago`;
    return `no event says the end of ${jobs.length} of ${this.#jobs.size} jobs: ${jobs[0]}; ${read}`;
  }

  #choose(replicas: readonly ReplicaProcess[], dice: Dice): number | undefined {
    const alive = replicas.filter(({ pid }) => pid !== undefined);
    if (alive.length === 0) return undefined;
    const { checkout, proxy } = dice.pick(alive);
    this.connections.set(checkout, (this.connections.get(checkout) ?? 0) + 1);
    return proxy.port;
  }

  async #call(): Promise<void> {
    const submitting = this.#run.load.client(`127.0.0.1:${this.#front.port}`);
    try {
      for (; !this.#ended; this.rounds++) {
        const job = await this.#run.load.submit(submitting, { definition: 'quick', input: { n: this.rounds } });
        this.#jobs.add(job);
        this.#front.cut();
        await this.#client.wait(job, { timeoutMs: WAIT_MS });
        this.#front.cut();
        await this.#list();
      }
    } finally {
      submitting.close();
    }
  }

  /** Newest first, each job once. */
  async #list(): Promise<void> {
    const ids: string[] = [];
    for await (const { jobId } of this.#client.list({}, { pageSize: PAGE })) {
      if (ids.push(jobId) % PAGE === 0) this.#front.cut();
      if (ids.length === PAGE * PAGES) break;
    }
    if (ids.some((id, n) => n > 0 && id >= (ids[n - 1] ?? '')))
      this.violations.push(`a list over several replicas has the order ${ids.join(' ')}`);
  }

  /** All ends, at least once; a refused position begins with the oldest event again. */
  async #follow(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        const options = { after: 0n, states: ENDS, signal };
        for await (const { events } of this.#client.watchEvents(options)) this.#take(events);
      } catch (error) {
        if (signal.aborted) return;
        if (!reasonOf(error).startsWith(POSITION_GONE)) throw error;
        this.refusedPositions++;
      }
    }
  }

  #take(events: readonly JobEvent[]): void {
    this.#events += events.length;
    this.#lastEvent = performance.now();
    for (const { jobId } of events) this.#published.add(jobId);
  }
}
