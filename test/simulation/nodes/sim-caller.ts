/** A process that calls the API: it repeats a call while its outcome is unknown, and counts open calls. */
import type { DescMethodUnary, MessageShape } from '@bufbuild/protobuf';
import { Code, MusterError } from '../../../sdk/typescript/src/error.ts';
import type { Job } from '../../../sdk/typescript/src/gen/muster/v1/job_pb.ts';
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import type { History } from '../core/history.ts';
import type { Process } from '../core/process.ts';
import type { Rpc } from '../network/sim-rpc.ts';

const TIMEOUT_MS = 3_000;
/** Codes after which the call may have had its effect. */
const unknownOutcomes: readonly number[] = [
  Code.UNAVAILABLE,
  Code.DEADLINE_EXCEEDED,
  Code.ABORTED,
  Code.RESOURCE_EXHAUSTED,
];

export interface CallerParts {
  readonly rpc: Rpc;
  readonly process: Process;
  readonly history: History;
  /** Virtual time in ms. */
  readonly virtualNow: () => number;
}

export class Caller {
  readonly history: History;
  readonly virtualNow: () => number;
  readonly #rpc: Rpc;
  readonly #process: Process;
  #underWay = 0;
  #planned = 0;

  constructor(parts: CallerParts) {
    this.history = parts.history;
    this.virtualNow = parts.virtualNow;
    this.#rpc = parts.rpc;
    this.#process = parts.process;
  }

  get random(): Prng {
    return this.#process.random;
  }

  /** Whether no call is in progress or planned. */
  get idle(): boolean {
    return this.#underWay === 0 && this.#planned === 0;
  }

  call<M extends DescMethodUnary>(method: M, request: MessageShape<M['input']>): Promise<MessageShape<M['output']>> {
    return this.#rpc.call(this.#process, method, request, TIMEOUT_MS);
  }

  /** Repeats the same call as often as needed. */
  async insist<M extends DescMethodUnary>(
    method: M,
    request: MessageShape<M['input']>,
  ): Promise<MessageShape<M['output']>> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.call(method, request);
      } catch (error) {
        if (!isUnknown(error)) throw error;
        this.history.count('client asked again');
        await new Promise<void>((resolve) => {
          this.#process.after(Math.min(1_000, 30 * 2 ** tries) * this.random.between(0.5, 1), resolve);
        });
      }
    }
  }

  /** An error here is an unexpected refusal. */
  async track(work: Promise<unknown>): Promise<void> {
    this.#underWay++;
    await work.catch((error: unknown) =>
      this.history.violate('clients get answers', (error as Error).stack ?? String(error)),
    );
    this.#underWay--;
  }

  /** Runs it after `ms`; until then it counts as planned. */
  later(ms: number, work: () => Promise<unknown>): void {
    this.#planned++;
    this.#process.after(ms, () => {
      this.#planned--;
      void this.track(work());
    });
  }

  /** Runs it every `ms`; in between nothing counts as planned. */
  every(ms: number, work: () => Promise<unknown>): void {
    this.#process.after(ms, () => {
      void this.track(work()).then(() => this.every(ms, work));
    });
  }
}

export function isUnknown(error: unknown): boolean {
  return error instanceof MusterError && unknownOutcomes.includes(error.code);
}

/** The reason of a refusal, if it is one of these. @throws any other error. */
export function refusalIn(error: unknown, reasons: readonly string[]): string {
  const { reason } = error as MusterError;
  if (error instanceof MusterError && reasons.includes(reason)) return reason;
  throw error;
}

/** A client's read of a job, by a call that began at this virtual time. */
export function readOf(job: Job, beganMs: number) {
  const text = job.outcome.case === 'result' ? new TextDecoder().decode(job.outcome.value.data) : '';
  const stage = job.cancellation?.stage;
  return { job: job.jobId, state: job.state, attempt: job.attempt, text, erased: job.erased, stage, beganMs };
}

export function timestampFromMs(ms: number) {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.floor(ms % 1000) * 1e6 };
}
