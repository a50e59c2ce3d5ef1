/** The way of an attempt's outcome to the server's acknowledgement. */
import type { AttemptReport } from '../../../gen/muster/worker/v1/attempt_report_pb.ts';
import type { ReportAttemptsResponse } from '../../../gen/muster/worker/v1/session_service_pb.ts';
import { REPORT_TIMEOUT } from '../base/limits.ts';
import type { CorePorts } from '../base/ports.ts';
import type { Grants } from '../dispatch/grants.ts';
import type { Held } from '../dispatch/held.ts';
import { CheckpointGate } from './checkpoint-gate.ts';
import type { Outcome } from './outcome.ts';
import { Reports } from './reports.ts';
import type { Updates } from './updates.ts';

export interface OutboxOwner {
  mayGrant(now: number): boolean;
  /** The server has closed the attempt, or says that this worker does not hold it. */
  acknowledged(held: Held): void;
  /** A heartbeat is needed soon: a report waits until its checkpoint is carried. */
  beatWanted(): void;
  leaseLost(): void;
  /** A call has ended, and everything that could be sent was sent. */
  settled(): void;
}

export class Outbox {
  readonly #ports: CorePorts;
  readonly #sessionId: Uint8Array;
  readonly #grants: Grants;
  readonly #updates: Updates;
  readonly #owner: OutboxOwner;
  readonly #gate = new CheckpointGate();
  readonly #reports: Reports;

  constructor(ports: CorePorts, sessionId: Uint8Array, grants: Grants, updates: Updates, owner: OutboxOwner) {
    this.#ports = ports;
    this.#sessionId = sessionId;
    this.#grants = grants;
    this.#updates = updates;
    this.#owner = owner;
    this.#reports = new Reports(ports, {
      sendReports: (reports) => this.#send(reports),
      acknowledged: (held) => owner.acknowledged(held),
      leaseLost: () => owner.leaseLost(),
      settled: () => owner.settled(),
    });
  }

  /** Whether so many reports are pending that no more jobs should be requested. */
  get backlogged(): boolean {
    return this.#reports.backlogged;
  }

  /** Whether a call is in flight or due. It will grant the free slots. */
  get active(): boolean {
    return this.#reports.active;
  }

  /** Queues the report that closes an attempt; `flush` sends it. */
  add(held: Held, outcome: Outcome): void {
    if (this.#gate.holds(held, outcome)) this.#owner.beatWanted();
    else this.#queue(held, outcome);
  }

  flush(): void {
    this.#reports.flush();
  }

  /** Numbers a heartbeat that is about to be sent. */
  beatSent(): number {
    return this.#gate.beatSent();
  }

  /** A heartbeat has ended: sends the reports that waited for it. */
  beatOver(beat: number, delivered: boolean): void {
    for (const { held, outcome } of this.#gate.pass(beat, delivered)) this.#queue(held, outcome);
  }

  close(): void {
    this.#reports.close();
  }

  #queue(held: Held, outcome: Outcome): void {
    this.#updates.drop(held);
    this.#reports.add(held, outcome);
  }

  /** The call that reports ended attempts also grants the slots that they free. */
  #send(reports: AttemptReport[]): Promise<ReportAttemptsResponse> {
    const now = this.#ports.clock.now();
    const terms = this.#grants.compose(now, this.#owner.mayGrant(now));
    const request = {
      $typeName: 'muster.worker.v1.ReportAttemptsRequest' as const,
      sessionId: this.#sessionId,
      reports,
      credits: terms.credits,
      voidedCreditIds: terms.voided,
    };
    const answer = this.#ports.api.reportAttempts(request, REPORT_TIMEOUT);
    answer.then(
      () => this.#grants.answered(terms),
      () => this.#grants.failed(terms),
    );
    return answer;
  }
}
