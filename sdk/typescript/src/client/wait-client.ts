/** Calls that end waiting jobs from outside: external events and approvals. */
import { randomUUID } from 'node:crypto';
import { durationFromMs } from '../duration.ts';
import type { Job } from '../gen/muster/v1/job_pb.ts';
import { WaitService } from '../gen/muster/v1/wait_service_pb.ts';
import { encodePayload } from '../payload.ts';
import type { UnaryClient } from '../transport/unary-client.ts';
import { unaryClient } from '../transport/unary-client.ts';
import { BatchClient } from './batch-client.ts';
import type { ClientOptions, RequestOptions } from './calls.ts';
import { present } from './calls.ts';
import type { JobRef } from './job-ref.ts';
import { idOf } from './job-ref.ts';

/** Content of an event. All fields are optional. */
export interface EventInit {
  /** Only jobs that wait for this key receive the event. At most 256 characters. Default: the empty key. */
  readonly key?: string;
  /** Result of the jobs that receive the event; encoded like the input of `submit`. Default: an empty one. */
  readonly payload?: unknown;
  /**
   * How long the event is kept if no job waits for it, in milliseconds. 0: not kept. At most 30 days. Default: one
   * hour.
   */
  readonly keepForMs?: number;
  /**
   * UUID that makes retries of this call idempotent. Default: a new one, which covers the automatic retries of this
   * call.
   */
  readonly eventId?: string;
}

/** Result of sending an event. */
export interface SentEvent {
  /** Number of jobs that the event has ended so far. */
  readonly deliveredCount: number;
  /** True while the control plane delivers the event to more jobs. */
  readonly delivering: boolean;
  /** No job waited for the event; it is kept for the first job that will. */
  readonly kept: boolean;
  /** The event was sent before; this call did nothing. */
  readonly repeated: boolean;
}

export class WaitClient extends BatchClient {
  readonly #waits: UnaryClient<(typeof WaitService)['method']>;

  constructor(options: ClientOptions) {
    super(options);
    this.#waits = unaryClient(this.calls.channel, WaitService);
  }

  /**
   * Ends all jobs that wait for the event. If there is none, the event is kept for the first job that will wait for it.
   *
   * @throws MusterError RESOURCE_EXHAUSTED (EVENTS_FULL) when 1,000 events of this name and key are kept.
   */
  async sendEvent(
    name: string,
    event: EventInit = {},
    options: Omit<RequestOptions, 'requestId'> = {},
  ): Promise<SentEvent> {
    const { key = '', payload, keepForMs, eventId = randomUUID() } = event;
    const encoded = encodePayload(payload);
    const request = {
      namespace: this.calls.namespace,
      name,
      key,
      eventId,
      ...(encoded ? { payload: encoded } : {}),
      ...(keepForMs === undefined ? {} : { keepFor: durationFromMs(keepForMs) }),
    };
    const sent = await this.calls.make(options, (call) => this.#waits.sendEvent(request, call));
    const { deliveredCount, delivering, kept, repeated } = sent;
    return { deliveredCount: Number(deliveredCount), delivering, kept, repeated };
  }

  /**
   * Approves a job that waits for an approval. Its result has `approved`, the comment and the payload.
   *
   * @param payload Any JSON value, or nothing.
   * @throws MusterError FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL) when the job waits for no approval.
   */
  async approve(
    job: JobRef,
    { comment = '', payload }: { readonly comment?: string; readonly payload?: unknown } = {},
    options: RequestOptions = {},
  ): Promise<Job> {
    const { requestId = randomUUID() } = options;
    const encoded = encodePayload(payload);
    const said = { comment, ...(encoded ? { payload: encoded } : {}) };
    const request = { namespace: this.calls.namespace, jobId: idOf(job), ...said, requestId };
    return present((await this.calls.make(options, (call) => this.#waits.approveJob(request, call))).job, 'job');
  }

  /**
   * Rejects a job that waits for an approval: it fails permanently.
   *
   * @param reason Reason, shown to operators. At most 256 characters.
   * @throws MusterError FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL) when the job waits for no approval.
   */
  async reject(job: JobRef, reason = '', options: RequestOptions = {}): Promise<Job> {
    const { requestId = randomUUID() } = options;
    const request = { namespace: this.calls.namespace, jobId: idOf(job), reason, requestId };
    return present((await this.calls.make(options, (call) => this.#waits.rejectJob(request, call))).job, 'job');
  }
}
