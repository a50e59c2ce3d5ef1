/** Opens a session, and retries until the server accepts or permanently refuses it. */
import type { OpenSessionRequest, OpenSessionResponse } from '../../../gen/muster/worker/v1/session_service_pb.ts';
import { Alarm } from '../base/alarm.ts';
import { backoff } from '../base/backoff.ts';
import { callFailure, isFatal, isLeaseLost } from '../base/call-failure.ts';
import { OPEN_REQUEST_LIFE, OPEN_TIMEOUT } from '../base/limits.ts';
import type { CorePorts } from '../base/ports.ts';

export interface OpenerOwner {
  /** `openedAt` is the time of the first sending; the session's lease began some time after it. */
  sessionOpened(response: OpenSessionResponse, openedAt: number): void;
  openingFailed(error: unknown): void;
}

export class Opener {
  readonly #ports: CorePorts;
  readonly #request: Omit<OpenSessionRequest, 'requestId'>;
  readonly #owner: OpenerOwner;
  readonly #retry: Alarm;
  #requestId = '';
  #firstSent = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #cancelled = false;

  constructor(ports: CorePorts, request: Omit<OpenSessionRequest, 'requestId'>, owner: OpenerOwner) {
    this.#ports = ports;
    this.#request = request;
    this.#owner = owner;
    this.#retry = new Alarm(ports.clock, ports.timers, () => this.#call());
  }

  /** Opens a new session after `delay` milliseconds. */
  open(delay: number): void {
    this.#firstSent = Number.NEGATIVE_INFINITY;
    this.#failures = 0;
    if (delay > 0) this.#retry.by(this.#ports.clock.now() + delay);
    else this.#call();
  }

  cancel(): void {
    this.#cancelled = true;
    this.#retry.cancel();
  }

  #call(): void {
    const now = this.#ports.clock.now();
    // A retry under the same id returns the session of a lost answer. The lease of that session has run since then.
    if (now - this.#firstSent > OPEN_REQUEST_LIFE) {
      this.#firstSent = now;
      this.#requestId = this.#ports.newId();
    }
    const openedAt = this.#firstSent;
    this.#ports.api.openSession({ ...this.#request, requestId: this.#requestId }, OPEN_TIMEOUT).then(
      (response) => {
        if (!this.#cancelled) this.#owner.sessionOpened(response, openedAt);
      },
      (error: unknown) => {
        if (!this.#cancelled) this.#failed(error);
      },
    );
  }

  #failed(error: unknown): void {
    const failure = callFailure(error);
    // A lost answer had opened a session, which has lapsed meanwhile: ask for another one.
    if (isLeaseLost(failure)) this.#firstSent = Number.NEGATIVE_INFINITY;
    else if (isFatal(failure)) {
      this.#owner.openingFailed(error);
      return;
    }
    const wait = backoff(++this.#failures, failure, this.#ports.random);
    this.#ports.log('warn', 'the session could not be opened yet', { waitMs: wait, error: failure.message });
    this.#retry.by(this.#ports.clock.now() + wait);
  }
}
