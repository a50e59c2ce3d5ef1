/**
 * Requests heartbeats soon after log records were written. A slow control plane gets fewer of them, so that log records
 * take a bounded share of its time, however many handlers log.
 */
import { Alarm } from '../base/alarm.ts';
import { LOG_DELAY, LOG_GAP, LOG_GAP_ROUND_TRIPS, PROGRESS_DELAY } from '../base/limits.ts';
import type { CorePorts } from '../base/ports.ts';
import type { Beats } from './beats.ts';

export class LogBeats {
  readonly #ports: CorePorts;
  readonly #beats: Beats;
  readonly #alarm: Alarm;

  /** @param pending Whether records are still unsent: the report of an ended attempt carries its records. */
  constructor(ports: CorePorts, beats: Beats, pending: () => boolean) {
    this.#ports = ports;
    this.#beats = beats;
    this.#alarm = new Alarm(ports.clock, ports.timers, () => {
      if (pending()) beats.within(0);
    });
  }

  /** There are records that no heartbeat has carried. */
  logged(): void {
    const { lastSent, roundTrip } = this.#beats;
    const gap = Math.min(PROGRESS_DELAY, Math.max(LOG_GAP, LOG_GAP_ROUND_TRIPS * roundTrip));
    this.#alarm.by(Math.max(this.#ports.clock.now() + LOG_DELAY, lastSent + gap));
  }

  close(): void {
    this.#alarm.cancel();
  }
}
