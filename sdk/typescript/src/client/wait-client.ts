/** What ends jobs that wait for something from outside: events, and people's words. */
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

/** What is sent. Everything may be left out. */
export interface EventInit {
  /** It is for jobs that wait for just this one. At most 256 characters. Default: the empty key. */
  readonly key?: string;
  /** The result of the jobs that it reaches, as the input of `submit`. Default: an empty one. */
  readonly payload?: unknown;
  /** How long it is kept if no job waits for it. 0: not at all. At most 30 days. Default: an hour. */
  readonly keepForMs?: number;
  /** UUID that makes a repeat of this very call one event. Default: a new one, which holds for the repeats of this call. */
  readonly eventId?: string;
}

/** What became of an event. */
export interface SentEvent {
  /** Jobs that it has ended so far. */
  readonly deliveredCount: number;
  /** The control plane goes on to more jobs. */
  readonly delivering: boolean;
  /** No job waited for it, and it is kept for the first that will. */
  readonly kept: boolean;
  /** It was sent before: nothing happened now. */
  readonly repeated: boolean;
}

export class WaitClient extends BatchClient {
  readonly #waits: UnaryClient<(typeof WaitService)['method']>;

  constructor(options: ClientOptions) {
    super(options);
    this.#waits = unaryClient(this.calls.channel, WaitService);
  }

  /**
   * Ends all jobs that wait for the event; where none does, it is kept for the first that will.
   *
   * @throws MusterError RESOURCE_EXHAUSTED (EVENTS_FULL) when 1,000 of its name and key are kept.
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
   * Ends a job that waits for an approval; its result says `approved`, and the comment and the payload that you give.
   *
   * @param payload Any JSON value, or nothing.
   * @throws MusterError FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL) when it does not wait for one.
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
   * Ends a job that waits for an approval as failed, for good.
   *
   * @param reason Why, for people. At most 256 characters.
   * @throws MusterError FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL) when it does not wait for one.
   */
  async reject(job: JobRef, reason = '', options: RequestOptions = {}): Promise<Job> {
    const { requestId = randomUUID() } = options;
    const request = { namespace: this.calls.namespace, jobId: idOf(job), reason, requestId };
    return present((await this.calls.make(options, (call) => this.#waits.rejectJob(request, call))).job, 'job');
  }
}
