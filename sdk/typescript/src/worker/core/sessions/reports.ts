/**
 * Sends reports until each is acknowledged. Without a call in flight, a report is sent at once; otherwise reports
 * collect for the next call.
 */

import { Code } from '../../../error.ts';
import type { AttemptReport } from '../../../gen/muster/worker/v1/attempt_report_pb.ts';
import { ReportResult } from '../../../gen/muster/worker/v1/attempt_report_pb.ts';
import type { ReportAttemptsResponse } from '../../../gen/muster/worker/v1/session_service_pb.ts';
import { Alarm } from '../base/alarm.ts';
import { backoff } from '../base/backoff.ts';
import type { CallFailure } from '../base/call-failure.ts';
import { callFailure, isLeaseLost } from '../base/call-failure.ts';
import { MAX_PENDING_REPORT_BYTES, MAX_PENDING_REPORTS, MAX_REPORT_CALLS, SECOND_CALL_FROM } from '../base/limits.ts';
import type { CorePorts } from '../base/ports.ts';
import type { Held } from '../dispatch/held.ts';
import type { Outcome } from './outcome.ts';
import { failed, outcomeBytes, sdkFailure } from './outcome.ts';
import type { PendingReport } from './report-batches.ts';
import { ReportBatches } from './report-batches.ts';

export interface ReportsOwner {
  /** Makes the call, which also carries credits. */
  sendReports(reports: AttemptReport[]): Promise<ReportAttemptsResponse>;
  /** The server has closed the attempt, or says that this worker does not hold it. */
  acknowledged(held: Held): void;
  leaseLost(): void;
  /** A call has ended, and everything that could be sent was sent. */
  settled(): void;
}

const REFUSED = 'ReportRefused';

export class Reports {
  readonly #ports: CorePorts;
  readonly #owner: ReportsOwner;
  readonly #batches = new ReportBatches();
  readonly #retry: Alarm;
  #inFlight = 0;
  #failures = 0;
  #waiting = false;
  #closed = false;

  constructor(ports: CorePorts, owner: ReportsOwner) {
    this.#ports = ports;
    this.#owner = owner;
    this.#retry = new Alarm(ports.clock, ports.timers, () => {
      this.#waiting = false;
      this.flush();
    });
  }

  /** Whether so many reports are pending that no more jobs should be requested. */
  get backlogged(): boolean {
    return this.#batches.size > MAX_PENDING_REPORTS || this.#batches.bytes > MAX_PENDING_REPORT_BYTES;
  }

  /** Whether a report is pending or in flight, so that a call will grant the free slots. */
  get active(): boolean {
    return this.#inFlight > 0 || this.#batches.size > 0;
  }

  /** Queues a report; `flush` sends it. */
  add(held: Held, outcome: Outcome): void {
    this.#batches.add(held, outcome);
  }

  flush(): void {
    while (this.#mayCall()) this.#call(this.#batches.take());
  }

  close(): void {
    this.#closed = true;
    this.#retry.cancel();
  }

  #mayCall(): boolean {
    if (this.#closed || this.#waiting || this.#batches.size === 0) return false;
    if (this.#inFlight === 0) return true;
    return this.#inFlight < MAX_REPORT_CALLS && this.#batches.size >= SECOND_CALL_FROM;
  }

  #call(batch: PendingReport[]): void {
    this.#inFlight++;
    const reports = batch.map(({ held, outcome }) => ({
      $typeName: 'muster.worker.v1.AttemptReport' as const,
      jobId: held.jobId,
      attempt: held.attempt,
      outcome,
      logs: held.logs?.messages() ?? [],
    }));
    this.#owner.sendReports(reports).then(
      (response) => this.#settle(() => this.#answered(batch, response)),
      (error: unknown) => this.#settle(() => this.#failed(batch, callFailure(error))),
    );
  }

  #settle(handle: () => void): void {
    this.#inFlight--;
    if (this.#closed) return;
    handle();
    this.flush();
    if (!this.#closed) this.#owner.settled();
  }

  #answered(batch: PendingReport[], { results }: ReportAttemptsResponse): void {
    const unanswered: PendingReport[] = [];
    batch.forEach((report, i) => {
      if ((results[i] ?? ReportResult.UNSPECIFIED) === ReportResult.UNSPECIFIED) unanswered.push(report);
      else this.#owner.acknowledged(report.held);
    });
    if (unanswered.length === 0) this.#failures = 0;
    else this.#again(unanswered, callFailure({ message: 'a report was not answered' }));
  }

  #failed(batch: PendingReport[], failure: CallFailure): void {
    if (isLeaseLost(failure)) this.#owner.leaseLost();
    else if (failure.code === Code.INVALID_ARGUMENT) this.#isolate(batch, failure);
    else this.#again(batch, failure);
  }

  /** The outcome of the call is unknown, or it had none: sends the same reports again after a delay. */
  #again(batch: PendingReport[], failure: CallFailure): void {
    this.#batches.putBack(batch);
    const wait = backoff(++this.#failures, failure, this.#ports.random);
    this.#ports.log('warn', 'reports will be sent again', {
      reports: batch.length,
      waitMs: wait,
      error: failure.message,
    });
    this.#waiting = true;
    this.#retry.by(this.#ports.clock.now() + wait);
  }

  /** A report that the server will never accept must not block the others: halves the batch until it is alone. */
  #isolate(batch: PendingReport[], failure: CallFailure): void {
    const [report] = batch;
    if (report === undefined) return;
    if (batch.length > 1) {
      const half = batch.length >> 1;
      this.#batches.putBack(batch.slice(0, half));
      this.#batches.putBack(batch.slice(half));
      return;
    }
    this.#ports.log('error', 'a report was refused', { outcome: report.outcome.case, error: failure.message });
    const replaceable = report.outcome.case === 'result' || report.outcome.case === 'failure';
    if (!replaceable || (report.outcome.case === 'failure' && report.outcome.value.type === REFUSED)) {
      this.#owner.acknowledged(report.held);
      return;
    }
    report.held.logs = undefined;
    report.outcome = failed(sdkFailure(REFUSED, `the server refused what the handler returned: ${failure.message}`));
    report.bytes = outcomeBytes(report.outcome);
    this.#batches.putBack([report]);
  }
}
