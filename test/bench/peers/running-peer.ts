/** A peer with its store, its producer and its workers, each a separate process. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Deployment, startDeployment } from '../deployment.ts';
import type {
  OpenJobs,
  ProducerReplies,
  ProducerRequest,
  SubmitMany,
  SubmitSteadily,
  Submitted,
  Target,
} from './contract.ts';
import type { Peer } from './peer.ts';
import { PeerProcess, within } from './process.ts';
import type { OpenStore, Services } from './services.ts';
import { PeerWorker } from './worker.ts';

/** Queues of every peer. `watched` is for cancels and lost workers, with every setting that helps to detect those. */
export const QUEUES = ['main', 'other', 'watched'] as const;
export type QueueName = (typeof QUEUES)[number];

const IDLE_MS = 120_000;
const POLL_MS = 2;

export class RunningPeer {
  readonly peer: Peer;
  readonly #store: OpenStore;
  readonly #deployment: Deployment | undefined;
  readonly #workers = new Set<PeerWorker>();
  #producer: PeerProcess | undefined;

  private constructor(peer: Peer, store: OpenStore, deployment: Deployment | undefined) {
    this.peer = peer;
    this.#store = store;
    this.#deployment = deployment;
  }

  /** Starts the peer on an empty store, without a worker. */
  static async start(peer: Peer, services: Services): Promise<RunningPeer> {
    const store = await services.open(peer.store);
    const deployment = peer.controlPlane ? await startDeployment(store.url) : undefined;
    const running = new RunningPeer(peer, store, deployment);
    try {
      await running.#process('prepare', QUEUES).done();
      running.#producer = await running.#process('producer', QUEUES).ready();
      return running;
    } catch (error) {
      await running.stop();
      throw error;
    }
  }

  #process(role: 'prepare' | 'producer' | 'worker', queues: readonly QueueName[]): PeerProcess {
    const url = this.#deployment?.address ?? this.#store.url;
    return new PeerProcess(this.peer.name, this.peer.command, [role, url, ...queues]);
  }

  #ask<R extends ProducerRequest>(request: R): Promise<ProducerReplies[R['do']]> {
    if (!this.#producer) throw new Error(`${this.peer.name} has no producer yet`);
    return this.#producer.ask(request);
  }

  submitMany(work: Omit<SubmitMany, 'do'>): Promise<unknown> {
    return this.#ask({ do: 'submitMany', ...work });
  }

  submitSteadily(work: Omit<SubmitSteadily, 'do'>): Promise<unknown> {
    return this.#ask({ do: 'submitSteadily', ...work });
  }

  submit(target: Target): Promise<Submitted> {
    return this.#ask({ do: 'submit', ...target });
  }

  /** Returns the time of the call, in milliseconds since 1970. */
  async cancel(queue: QueueName, job: string): Promise<number> {
    return (await this.#ask({ do: 'cancel', queue, job })).sent;
  }

  open(queues: readonly QueueName[]): Promise<OpenJobs> {
    return this.#ask({ do: 'open', queues });
  }

  /** Starts a worker process for the queues, each with slots of its own. */
  async worker(...queues: readonly QueueName[]): Promise<PeerWorker> {
    const process = this.#process('worker', queues);
    const worker = new PeerWorker(process); // before it is ready, because it may run a job at once
    this.#workers.add(worker);
    await process.ready();
    return worker;
  }

  /** Resolves once every job of the queues has ended *in the store*. Rejects when one of them has failed. */
  async waitIdle(...queues: readonly QueueName[]): Promise<void> {
    const idle = async () => {
      for (;;) {
        const { open, failed } = await this.open(queues);
        if (failed > 0) throw new Error(`${this.peer.name}: ${failed} jobs have failed`);
        if (open === 0) return;
        await delay(POLL_MS);
      }
    };
    await within(IDLE_MS, `${this.peer.name}: to end every job`, idle());
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => worker.stop()));
    await this.#producer?.stop();
    await this.#deployment?.stop();
    await this.#store.close();
  }
}
