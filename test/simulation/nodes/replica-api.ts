/** The product's API handlers on encoded messages, with a record of requests and answers. */
import { fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import type { CloseCircuitBreakerRequest } from '@muster-jobs/sdk/gen/muster/v1/circuit_breaker_service_pb';
import { IdempotencyConflictPolicy } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import type {
  CancelJobRequest,
  CancelJobsRequest,
  SubmitJobsRequest,
} from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { PauseQueueRequest } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import type { DrainWorkerRequest } from '@muster-jobs/sdk/gen/muster/v1/worker_service_pb';
import type { AttemptReport } from '@muster-jobs/sdk/gen/muster/worker/v1/attempt_report_pb';
import { ReleaseReason, ReportResult } from '@muster-jobs/sdk/gen/muster/worker/v1/attempt_report_pb';
import type {
  ReportAttemptsRequest,
  ReportAttemptsResponse,
  SendHeartbeatRequest,
  SendHeartbeatResponse,
} from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { uuidText } from '../../../sdk/typescript/src/uuid.ts';
import type { ServiceBinding } from '../../../server/api/service.ts';
import type { Facts, History } from '../core/history.ts';
import type { Process } from '../core/process.ts';

export class ReplicaApi {
  readonly #bindings: ReadonlyMap<string, ServiceBinding>;
  readonly #history: History;
  readonly #process: Process;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(bindings: readonly ServiceBinding[], history: History, process: Process) {
    this.#bindings = new Map(bindings.map((binding) => [binding.service.typeName, binding]));
    this.#history = history;
    this.#process = process;
  }

  async handle(path: string, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const [service = '', name = ''] = path.split('/');
    const binding = this.#bindings.get(service);
    const method = binding?.service.methods.find((candidate) => candidate.localName === name);
    const handler = binding?.handlers[name];
    if (!method || !handler) throw new Error(`there is no ${path}`);
    const request = fromBinary(method.input, body);
    this.#history.trace(this.#process.name, `rpc ${name}`);
    const over = this.#asked(name, request);
    // Simulated nodes call no streams.
    const answer = handler(request, { signal, body, header: () => '' }) as Promise<unknown>;
    this.#underWay.add(answer);
    try {
      const response = (await answer) as Message;
      this.#answered(name, request, response);
      return toBinary(method.output, response);
    } catch (error) {
      this.#refused(name, request, error);
      throw error;
    } finally {
      over();
      this.#underWay.delete(answer);
    }
  }

  /** Resolves when no call is in progress. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  /** Returns the function to call at the end of the call. */
  #asked(name: string, request: Message): () => void {
    if (name === 'reportAttempts') {
      const { sessionId, reports } = request as ReportAttemptsRequest;
      for (const report of reports) this.#history.log(this.#process.name, 'report asked', factsOf(sessionId, report));
    }
    const change = changeAsked(name, request);
    if (!change) return () => {};
    const call = this.#history.nextCall();
    this.#history.log(this.#process.name, 'change asked', { call, method: name, ...change });
    // The last statements of a dead process may still have effects.
    return () => this.#process.alive && this.#history.log(this.#process.name, 'change over', { call });
  }

  #answered(name: string, request: Message, response: Message): void {
    if (name === 'reportAttempts') {
      const { sessionId, reports } = request as ReportAttemptsRequest;
      reports.forEach((report, i) => {
        const result = nameOf(ReportResult, (response as ReportAttemptsResponse).results[i] ?? 0);
        this.#history.log(this.#process.name, 'report answered', { ...factsOf(sessionId, report), result });
      });
    }
    if (name === 'sendHeartbeat') this.#beat(request as SendHeartbeatRequest, response as SendHeartbeatResponse);
  }

  #beat(request: SendHeartbeatRequest, response: SendHeartbeatResponse): void {
    const busDown = response.nextBeat !== undefined;
    this.#history.count(
      busDown ? 'assignments in a reply while the bus is down' : 'grant re-sent',
      response.assignments.length,
    );
    this.#history.count('cancel in a reply', response.cancels.length);
    if (busDown) this.#history.count('beat while the bus is down');
    if (response.reconnectBus) this.#history.count('session found deaf');
    this.#history.trace(this.#process.name, 'beat answered', {
      session: short(uuidText(request.sessionId)),
      held: request.heldAttempts
        .map((held) => `${short(uuidText(held.jobId))}/${held.attempt}${held.started ? '+' : ''}`)
        .join(','),
      credits: request.credits.map((credit) => `${credit.creditId}:${credit.slots}+${credit.prefetch}`).join(','),
      voided: request.voidedCreditIds.join(','),
      resent: response.assignments.map((assignment) => short(uuidText(assignment.jobId))).join(','),
    });
  }

  #refused(name: string, request: Message, error: unknown): void {
    this.#history.trace(this.#process.name, `rpc ${name} refused`, { error: (error as Error)?.message });
    if ((error as { reason?: string }).reason !== 'LEASE_LOST') return;
    this.#history.count(`LEASE_LOST for a call of ${name}`);
    if (name !== 'reportAttempts') return;
    const { sessionId, reports } = request as ReportAttemptsRequest;
    for (const report of reports) {
      this.#history.log(this.#process.name, 'report answered', { ...factsOf(sessionId, report), result: 'LEASE_LOST' });
    }
  }
}

const changing: ReadonlySet<string> = new Set([
  'cancelJob',
  'pauseJob',
  'resumeJob',
  'failJob',
  'updateJob',
  'eraseJob',
  'retryJob',
  'addDependencies',
  'approveJob',
  'rejectJob',
]);

/** The change that the call requests, of one or several jobs, a queue, a worker or a breaker; undefined: none. */
function changeAsked(name: string, request: Message): Facts | undefined {
  if (name === 'pauseQueue' || name === 'resumeQueue') return { queue: (request as PauseQueueRequest).name };
  if (name === 'drainWorker') return { session: (request as DrainWorkerRequest).sessionId };
  if (name === 'closeCircuitBreaker') return { breaker: (request as CloseCircuitBreakerRequest).name };
  if (changing.has(name)) return { job: (request as CancelJobRequest).jobId };
  if (name === 'cancelJobs') return { batch: (request as CancelJobsRequest).filter?.labels.batch ?? '' };
  if (name !== 'submitJobs') return undefined;
  const replacing = (request as SubmitJobsRequest).jobs.filter(
    (job) => job.idempotencyConflictPolicy === IdempotencyConflictPolicy.REPLACE,
  );
  return replacing.length === 0 ? undefined : { keys: replacing.map((job) => job.idempotencyKey).join(',') };
}

export function short(uuid: string): string {
  return uuid.slice(-6);
}

function nameOf(values: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(values).find((name) => values[name] === value) ?? String(value);
}

function factsOf(sessionId: Uint8Array, report: AttemptReport) {
  const { outcome } = report;
  return {
    job: uuidText(report.jobId),
    attempt: report.attempt,
    session: uuidText(sessionId),
    outcome: outcome.case ?? 'none',
    text:
      outcome.case === 'result'
        ? new TextDecoder().decode(outcome.value.data)
        : outcome.case === 'suspended'
          ? outcome.value.childJobIds.map(uuidText).join()
          : outcome.case === 'released'
            ? nameOf(ReleaseReason, outcome.value.reason)
            : '',
  };
}
