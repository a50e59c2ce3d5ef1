/** Operators of queues, workers and breakers: they pause and resume, drain, and close manually. */

import { create } from '@bufbuild/protobuf';
import { CircuitBreakerService } from '@muster-jobs/sdk/gen/muster/v1/circuit_breaker_service_pb';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import { CloseCircuitBreakerRequestSchema } from '../../../sdk/typescript/src/gen/muster/v1/circuit_breaker_service_pb.ts';
import type { QueueCounts } from '../../../sdk/typescript/src/gen/muster/v1/queue_pb.ts';
import {
  ListQueuesRequestSchema,
  PauseQueueRequestSchema,
  QueueService,
  ResumeQueueRequestSchema,
} from '../../../sdk/typescript/src/gen/muster/v1/queue_service_pb.ts';
import {
  DrainWorkerRequestSchema,
  ListWorkersRequestSchema,
  WorkerService,
} from '../../../sdk/typescript/src/gen/muster/v1/worker_service_pb.ts';
import type { PlannedUpkeep } from '../scenario/upkeep.ts';
import { type Caller, refusalIn } from './sim-caller.ts';
import { SimScheduler } from './sim-scheduler.ts';
import { requestId } from './sim-worker.ts';

const { pauseQueue, resumeQueue, listQueues } = QueueService.method;
const { listWorkers, drainWorker } = WorkerService.method;
/** A queue does not exist before its first job. */
const NO_QUEUE = ['QUEUE_NOT_FOUND'];

export class SimUpkeep {
  readonly #caller: Caller;
  readonly #scheduler: SimScheduler;

  constructor(caller: Caller) {
    this.#caller = caller;
    this.#scheduler = new SimScheduler(caller);
  }

  begin(upkeep: readonly PlannedUpkeep[], roundMs: number): void {
    for (const one of upkeep) this.#caller.later(one.at, () => this.#take(one));
    this.#caller.every(roundMs, () => this.#resumeForgotten());
  }

  /** Reads queues and schedules after everything has ended. */
  readAll(): void {
    void this.#caller.track(this.#readQueues());
    this.#scheduler.readAll();
  }

  #take(upkeep: PlannedUpkeep): Promise<void> {
    switch (upkeep.kind) {
      case 'pauseQueue':
        return this.#pause(upkeep.queue, upkeep.forMs);
      case 'drainWorker':
        return this.#drainOne();
      case 'keepSchedule':
        return this.#scheduler.keep(upkeep);
      case 'closeBreaker':
        return this.#close(upkeep.breaker);
    }
  }

  /**
   * Without a request id a late repeat pauses the queue again; other operators then find it paused. With one the handlers
   * of its jobs are asked to stop.
   */
  async #pause(queue: string, forMs: number): Promise<void> {
    const { random, history } = this.#caller;
    const id = random.chance(0.6) ? requestId(random) : '';
    const running = id === '' ? {} : { running: true, grace: durationFromMs(forMs / 2) };
    const request = create(PauseQueueRequestSchema, { name: queue, requestId: id, reason: 'as planned', ...running });
    const call = history.nextCall();
    history.log('client', 'pause asked', { queue, call });
    const answer = await this.#unless(NO_QUEUE, this.#caller.insist(pauseQueue, request));
    if (!answer) return;
    history.log('client', 'pause answered', { queue, call });
    this.#caller.later(forMs, () => this.#resume(queue));
  }

  async #resume(queue: string): Promise<void> {
    const request = create(ResumeQueueRequestSchema, { name: queue, requestId: requestId(this.#caller.random) });
    await this.#unless(NO_QUEUE, this.#caller.insist(resumeQueue, request));
  }

  async #resumeForgotten(): Promise<void> {
    const { queues } = await this.#caller.insist(listQueues, create(ListQueuesRequestSchema, {}));
    for (const { name, paused } of queues) if (paused && this.#caller.random.chance(0.2)) await this.#resume(name);
  }

  async #drainOne(): Promise<void> {
    const { random, history } = this.#caller;
    const { workers } = await this.#caller.insist(listWorkers, create(ListWorkersRequestSchema, {}));
    if (workers.length === 0) return;
    const { sessionId } = random.pick(workers);
    const request = create(DrainWorkerRequestSchema, { sessionId, requestId: requestId(random) });
    const answer = await this.#unless(['SESSION_CLOSED'], this.#caller.insist(drainWorker, request));
    if (answer) history.log('client', 'drained', { session: sessionId });
  }

  async #close(name: string): Promise<void> {
    const request = create(CloseCircuitBreakerRequestSchema, { name });
    const call = this.#caller.insist(CircuitBreakerService.method.closeCircuitBreaker, request);
    await this.#unless(['CIRCUIT_BREAKER_NOT_FOUND'], call);
  }

  async #readQueues(): Promise<void> {
    const { queues } = await this.#caller.insist(listQueues, create(ListQueuesRequestSchema, {}));
    for (const { name, counts } of queues)
      this.#caller.history.log('client', 'queue read', { queue: name, openJobs: totalOf(counts) });
  }

  async #unless<T>(refusals: readonly string[], call: Promise<T>): Promise<T | undefined> {
    try {
      return await call;
    } catch (error) {
      this.#caller.history.count(`refused: ${refusalIn(error, refusals)}`);
      return undefined;
    }
  }
}

function totalOf(counts: QueueCounts | undefined): number {
  if (!counts) return 0;
  const { blocked, scheduled, ready, paused, leased: held, waiting } = counts;
  return Number(blocked + scheduled + ready + paused + held + waiting);
}
