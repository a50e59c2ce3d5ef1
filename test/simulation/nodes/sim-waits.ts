/** Users with waiting jobs: they submit them, send events, approve and reject; the answers are recorded. */
import { create } from '@bufbuild/protobuf';
import {
  ApproveJobRequestSchema,
  RejectJobRequestSchema,
  SendSignalRequestSchema,
  SignalService,
} from '@muster-jobs/sdk/gen/muster/v1/signal_service_pb';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import type { PlannedEvent, PlannedWait, PlannedWord, Waits } from '../scenario/waits.ts';
import type { LinkSubmit } from './link-submit.ts';
import { type Caller, refusalIn } from './sim-caller.ts';
import { requestId } from './sim-worker.ts';

const { sendSignal, approveJob, rejectJob } = SignalService.method;
export const EVENT_NAME = 'signal';
const encoder = new TextEncoder();

export class SimWaits {
  readonly #caller: Caller;
  readonly #submit: LinkSubmit;

  constructor(caller: Caller, submit: LinkSubmit) {
    this.#caller = caller;
    this.#submit = submit;
  }

  begin({ waits, events }: Waits): void {
    for (const wait of waits) this.#caller.later(wait.at, () => this.#ask(wait));
    for (const event of events) this.#caller.later(event.at, () => this.#send(event));
  }

  async #ask({ name, definition, key, delayMs, acts, words }: PlannedWait): Promise<void> {
    const jobId = await this.#submit({ name, definition, input: { key }, delayMs, acts });
    for (const word of words) this.#caller.later(word.ms, () => this.#say(jobId, word));
  }

  async #send({ name, key, keepMs }: PlannedEvent): Promise<void> {
    const data = encoder.encode(JSON.stringify({ event: name, key }));
    const request = create(SendSignalRequestSchema, {
      ...{ name: EVENT_NAME, key, payload: { data, contentType: 'application/json' } },
      keepFor: durationFromMs(keepMs),
      requestId: requestId(this.#caller.random),
    });
    const began = this.#caller.history.nextCall();
    this.#caller.history.log('client', 'event asked', { event: name, key, keepMs, call: began });
    const { deliveredCount, delivering, kept, repeated } = await this.#caller.insist(sendSignal, request);
    const answer = { delivered: Number(deliveredCount), delivering, kept, repeated };
    this.#caller.history.log('client', 'event answered', { event: name, key, keepMs, call: began, ...answer });
  }

  /** A decision that comes too early or too late has no effect. */
  async #say(jobId: string, { kind, text }: PlannedWord): Promise<void> {
    const { history, random } = this.#caller;
    const call = history.nextCall();
    const id = requestId(random);
    history.log('client', 'word asked', { job: jobId, call });
    try {
      if (kind === 'approve')
        await this.#caller.insist(approveJob, create(ApproveJobRequestSchema, { jobId, comment: text, requestId: id }));
      else await this.#caller.insist(rejectJob, create(RejectJobRequestSchema, { jobId, reason: text, requestId: id }));
      history.log('client', 'word heard', { job: jobId, call, kind, text });
    } catch (error) {
      refusalIn(error, ['JOB_NOT_AWAITING_APPROVAL']);
      history.log('client', 'word refused', { job: jobId, call, kind });
    }
  }
}
