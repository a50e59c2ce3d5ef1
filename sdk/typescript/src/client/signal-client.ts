/** Calls that end waiting jobs from outside: signals and approvals. */

import { durationFromMs } from '../duration.ts';
import type { Job } from '../gen/muster/v1/job_pb.ts';
import { SignalService } from '../gen/muster/v1/signal_service_pb.ts';
import type { Known } from '../options/known-options.ts';
import { refuseUnknownOptions } from '../options/known-options.ts';
import { encodePayload } from '../payload.ts';
import type { CallOptions, OpenChannel } from '../transport/channel.ts';
import type { UnaryClient } from '../transport/unary-client.ts';
import { unaryClient } from '../transport/unary-client.ts';
import { newUuid } from '../uuid.ts';
import { BatchClient } from './batches/batch-client.ts';
import type { ClientOptions, RequestOptions } from './calls.ts';
import { present } from './calls.ts';
import type { JobRef } from './jobs/job-ref.ts';
import { idOf } from './jobs/job-ref.ts';

/** Content of a signal. All fields are optional. */
export interface SignalInit {
  /** Only jobs that wait for this key receive the signal. At most 256 characters. Default: the empty key. */
  readonly key?: string;
  /** Result of the jobs that receive the signal; encoded like the input of `submit`. Default: an empty one. */
  readonly payload?: unknown;
  /**
   * How long the signal is kept if no job waits for it, in milliseconds. 0: not kept. At most 30 days. Default: one
   * hour.
   */
  readonly keepForMs?: number;
  /**
   * UUID that makes retries of this call idempotent. Default: a new one, which covers the automatic retries of this
   * call.
   */
  readonly requestId?: string;
}

const signalInit: Known<SignalInit> = { key: true, payload: true, keepForMs: true, requestId: true };
/** Its request id is part of the signal. */
type SignalOptions = Omit<RequestOptions, 'requestId'>;
const signalOptions: Known<SignalOptions> = { timeoutMs: true, signal: true };

/** What goes with an approval. */
interface Approval {
  readonly comment?: string;
  readonly payload?: unknown;
}

const approval: Known<Approval> = { comment: true, payload: true };

/** Result of sending a signal. */
export interface SentSignal {
  /** Number of jobs that the signal has ended so far. */
  readonly deliveredCount: number;
  /** True while the control plane delivers the signal to more jobs. */
  readonly delivering: boolean;
  /** Neither a job nor a trigger took the signal; it is kept for the first job that will. */
  readonly kept: boolean;
  /** The signal was sent before; this call did nothing. */
  readonly repeated: boolean;
  /** Number of triggers that have a cause of this name and are not paused. */
  readonly triggerCount: number;
}

export class SignalClient extends BatchClient {
  readonly #waits: UnaryClient<(typeof SignalService)['method']>;

  constructor(options: ClientOptions, open: OpenChannel) {
    super(options, open);
    this.#waits = unaryClient(this.calls.channel, SignalService);
  }

  /**
   * Ends all jobs that wait for the signal, and is a cause for triggers. If there is neither, the signal is kept for the
   * first job that will wait for it.
   *
   * @throws MusterError RESOURCE_EXHAUSTED (SIGNALS_FULL) when 1,000 signals of this name and key are kept.
   */
  async sendSignal(name: string, signal: SignalInit = {}, options: SignalOptions = {}): Promise<SentSignal> {
    refuseUnknownOptions('sendSignal', signal, signalInit);
    const { key = '', payload, keepForMs, requestId = newUuid() } = signal;
    const encoded = encodePayload(payload);
    const request = {
      namespace: this.calls.namespace,
      name,
      key,
      requestId,
      ...(encoded ? { payload: encoded } : {}),
      ...(keepForMs === undefined ? {} : { keepFor: durationFromMs(keepForMs) }),
    };
    const send = (call: CallOptions) => this.#waits.sendSignal(request, call);
    const sent = await this.calls.make('sendSignal', options, send, signalOptions);
    const { deliveredCount, delivering, kept, repeated, triggerCount } = sent;
    return { deliveredCount: Number(deliveredCount), delivering, kept, repeated, triggerCount: Number(triggerCount) };
  }

  /**
   * Approves a job that waits for an approval. Its result has `approved`, the comment and the payload.
   *
   * @param given `payload`: any JSON value, or nothing.
   * @throws MusterError FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL) when the job waits for no approval.
   */
  async approve(job: JobRef, given: Approval = {}, options: RequestOptions = {}): Promise<Job> {
    refuseUnknownOptions('approve', given, approval);
    const { comment = '', payload } = given;
    const { requestId = newUuid() } = options;
    const encoded = encodePayload(payload);
    const said = { comment, ...(encoded ? { payload: encoded } : {}) };
    const request = { namespace: this.calls.namespace, jobId: idOf(job), ...said, requestId };
    return present(
      (await this.calls.make('approve', options, (call) => this.#waits.approveJob(request, call))).job,
      'job',
    );
  }

  /**
   * Rejects a job that waits for an approval: it fails permanently.
   *
   * @param reason Reason, shown to operators. At most 256 characters.
   * @throws MusterError FAILED_PRECONDITION (JOB_NOT_AWAITING_APPROVAL) when the job waits for no approval.
   */
  async reject(job: JobRef, reason = '', options: RequestOptions = {}): Promise<Job> {
    const { requestId = newUuid() } = options;
    const request = { namespace: this.calls.namespace, jobId: idOf(job), reason, requestId };
    return present(
      (await this.calls.make('reject', options, (call) => this.#waits.rejectJob(request, call))).job,
      'job',
    );
  }
}
