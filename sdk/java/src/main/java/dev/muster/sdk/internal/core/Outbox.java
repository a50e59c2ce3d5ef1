package dev.muster.sdk.internal.core;

import com.google.protobuf.ByteString;
import dev.muster.worker.v1.AttemptReport;
import dev.muster.worker.v1.ReportAttemptsRequest;
import dev.muster.worker.v1.ReportAttemptsResponse;
import java.util.List;

/** Takes the outcome of an attempt and delivers it until the server acknowledges it. */
final class Outbox implements Reports.Owner {
  /** The owner of the outbox. */
  interface Owner {
    boolean mayGrant(long now);

    /** The server has closed the attempt, or says that this session does not own it. */
    void acknowledged(Held held);

    /** A heartbeat is needed soon, because a report waits for its checkpoint to be carried. */
    void beatWanted();

    void leaseLost();

    /** A call is over, and everything that could be sent has been sent. */
    void settled();
  }

  private final CorePorts ports;
  private final ByteString sessionId;
  private final Grants grants;
  private final Updates updates;
  private final Owner owner;
  private final CheckpointGate gate = new CheckpointGate();
  private final Reports reports;

  Outbox(CorePorts ports, ByteString sessionId, Grants grants, Updates updates, Owner owner) {
    this.ports = ports;
    this.sessionId = sessionId;
    this.grants = grants;
    this.updates = updates;
    this.owner = owner;
    reports = new Reports(ports, this);
  }

  /** Whether so much is pending that no more attempts should be requested. */
  boolean backlogged() {
    return reports.backlogged();
  }

  /** Whether a call is in progress or due, which will offer free slots. */
  boolean active() {
    return reports.active();
  }

  /** Queues the report that closes an attempt; {@link #flush} sends it. */
  void add(Held held, AttemptReport outcome) {
    if (gate.holds(held, outcome)) {
      owner.beatWanted();
    } else {
      queue(held, outcome);
    }
  }

  void flush() {
    reports.flush();
  }

  /** Numbers a heartbeat that is about to be sent. */
  long beatSent() {
    return gate.beatSent();
  }

  /** A heartbeat is over: reports that waited for it may be sent. */
  void beatOver(long beat, boolean delivered) {
    for (CheckpointGate.HeldBack one : gate.pass(beat, delivered)) {
      queue(one.held, one.outcome);
    }
  }

  void close() {
    reports.close();
  }

  private void queue(Held held, AttemptReport outcome) {
    updates.drop(held);
    reports.add(held, outcome);
  }

  /** The slots that the reports free are granted again in the same call. */
  @Override
  public void sendReports(
      List<AttemptReport> batch, CorePorts.Answer<ReportAttemptsResponse> answer) {
    long now = ports.now();
    Grants.Terms terms = grants.compose(now, owner.mayGrant(now));
    ReportAttemptsRequest request =
        ReportAttemptsRequest.newBuilder()
            .setSessionId(sessionId)
            .addAllReports(batch)
            .addAllCredits(terms.credits())
            .addAllVoidedCreditIds(terms.voided())
            .build();
    ports
        .api()
        .reportAttempts(
            request,
            Limits.REPORT_TIMEOUT,
            (response, failure) -> {
              if (failure != null) {
                grants.failed(terms);
              } else {
                grants.answered(terms);
              }
              answer.accept(response, failure);
            });
  }

  @Override
  public void acknowledged(Held held) {
    owner.acknowledged(held);
  }

  @Override
  public void leaseLost() {
    owner.leaseLost();
  }

  @Override
  public void settled() {
    owner.settled();
  }
}
