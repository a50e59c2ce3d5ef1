/** Schedules heartbeats. A slow answer never delays the next one. */

import { durationToMs } from '../../../duration.ts';
import type { SendHeartbeatResponse } from '../../../gen/muster/worker/v1/session_service_pb.ts';
import { Alarm } from '../base/alarm.ts';
import { backoff } from '../base/backoff.ts';
import type { CallFailure } from '../base/call-failure.ts';
import { callFailure } from '../base/call-failure.ts';
import { BEAT_RETRY, MAX_BEATS_IN_FLIGHT, MIN_BEAT_GAP } from '../base/limits.ts';
import type { CorePorts } from '../base/ports.ts';

/** The fraction of the interval by which a beat may come early, so that workers that started together spread out. */
const JITTER = 0.1;

/** A heartbeat in flight, and the callbacks for its end. */
export interface Beat {
  readonly answer: Promise<SendHeartbeatResponse>;
  answered(response: SendHeartbeatResponse): void;
  failed(failure: CallFailure): void;
}

export class Beats {
  readonly #ports: CorePorts;
  readonly #interval: number;
  readonly #send: (sentAt: number) => Beat;
  readonly #alarm: Alarm;
  #lastSent = Number.NEGATIVE_INFINITY;
  /** Time of the next regular beat. It keeps the lease, so no delay moves it. */
  #regularAt = Number.POSITIVE_INFINITY;
  /** Failures since the last answer. */
  #failures = 0;
  /** After a failure, only a change of the bus connection causes a beat before this time. */
  #notBefore = Number.NEGATIVE_INFINITY;
  #roundTrip = 0;
  #inFlight = 0;
  #closed = false;

  constructor(ports: CorePorts, interval: number, send: (sentAt: number) => Beat) {
    this.#ports = ports;
    this.#interval = interval;
    this.#send = send;
    this.#alarm = new Alarm(ports.clock, ports.timers, () => this.now());
  }

  get lastSent(): number {
    return this.#lastSent;
  }

  /** Duration of the last completed heartbeat in milliseconds; Infinity if it failed. */
  get roundTrip(): number {
    return this.#roundTrip;
  }

  /** Beats at once. At the maximum of unanswered beats it tries again shortly after, without waiting for an answer. */
  now(): void {
    if (this.#closed) return;
    const sentAt = this.#ports.clock.now();
    if (this.#inFlight >= MAX_BEATS_IN_FLIGHT) {
      this.#alarm.by(sentAt + MIN_BEAT_GAP);
      return;
    }
    this.#lastSent = sentAt;
    this.#regularAt = sentAt + this.#interval * (1 - JITTER * this.#ports.random());
    this.#alarm.set(this.#regularAt);
    this.#inFlight++;
    const beat = this.#send(sentAt);
    beat.answer.then(
      (response) => {
        this.#roundTrip = this.#ports.clock.now() - sentAt;
        this.#settle(() => this.#answered(beat, response));
      },
      (error: unknown) => {
        this.#roundTrip = Number.POSITIVE_INFINITY;
        this.#settle(() => this.#failed(beat, callFailure(error)));
      },
    );
  }

  /** Beats within `ms`, but respects the minimum gap to the last beat and the delay after a failed one. */
  within(ms: number): void {
    if (this.#closed) return;
    this.#alarm.by(Math.max(this.#ports.clock.now() + ms, this.#lastSent + MIN_BEAT_GAP, this.#notBefore));
  }

  close(): void {
    this.#closed = true;
    this.#alarm.cancel();
  }

  #settle(handle: () => void): void {
    this.#inFlight--;
    if (!this.#closed) handle();
  }

  #answered(beat: Beat, response: SendHeartbeatResponse): void {
    this.#failures = 0;
    this.#notBefore = Number.NEGATIVE_INFINITY;
    if (response.nextBeat) this.within(durationToMs(response.nextBeat, this.#interval));
    beat.answered(response);
  }

  /** Beats requested earlier are delayed, too. */
  #failed(beat: Beat, failure: CallFailure): void {
    const now = this.#ports.clock.now();
    const wait = backoff(++this.#failures, failure, this.#ports.random, BEAT_RETRY);
    this.#notBefore = Math.max(this.#notBefore, now + wait, this.#lastSent + MIN_BEAT_GAP);
    this.#alarm.set(Math.min(this.#notBefore, this.#regularAt));
    beat.failed(failure);
  }
}
