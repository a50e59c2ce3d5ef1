/** From an attempt's outcome to the server's acknowledgement of it. */
import type { AttemptReport, ReportAttemptsResponse } from '../../gen/muster/v1/session_service_pb.ts';
import { CheckpointGate } from './checkpoint-gate.ts';
import type { Grants } from './grants.ts';
import type { Held } from './held.ts';
import { REPORT_TIMEOUT } from './limits.ts';
import type { Outcome } from './outcome.ts';
import type { CorePorts } from './ports.ts';
import { Reports } from './reports.ts';
import type { Updates } from './updates.ts';

export interface OutboxOwner {
  mayGrant(now: number): boolean;
  /** The server has closed the attempt, or says that it is not ours. */
  acknowledged(held: Held): void;
  /** A heartbeat is needed soon: a report waits for its checkpoint to be carried. */
  beatWanted(): void;
  leaseLost(): void;
  /** A call is over; whatever there was to send has been sent. */
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

  /** Whether so much is pending that nothing more should be asked for. */
  get backlogged(): boolean {
    return this.#reports.backlogged;
  }

  /** Whether a call is under way or due, which will offer free places. */
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

  /** A heartbeat is over: reports that waited for it may go. */
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

  /** What the reports free is granted anew in the very call that frees it. */
  #send(reports: AttemptReport[]): Promise<ReportAttemptsResponse> {
    const now = this.#ports.clock.now();
    const terms = this.#grants.compose(now, this.#owner.mayGrant(now));
    const request = {
      $typeName: 'muster.v1.ReportAttemptsRequest' as const,
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
