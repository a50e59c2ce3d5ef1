package dev.muster.sdk.internal.core;

import com.google.protobuf.ByteString;
import dev.muster.v1.AttemptReport;
import dev.muster.v1.ReportAttemptsRequest;
import dev.muster.v1.ReportAttemptsResponse;
import java.util.List;

/** From an attempt's outcome to the server's acknowledgement of it. */
final class Outbox implements Reports.Owner {
  /** Whom the outbox belongs to. */
  interface Owner {
    boolean mayGrant(long now);

    /** The server has closed the attempt, or says that it is not ours. */
    void acknowledged(Held held);

    /** A heartbeat is needed soon: a report waits for its checkpoint to be carried. */
    void beatWanted();

    void leaseLost();

    /** A call is over; whatever there was to send has been sent. */
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

  /** Whether so much is pending that nothing more should be asked for. */
  boolean backlogged() {
    return reports.backlogged();
  }

  /** Whether a call is under way or due, which will offer free places. */
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

  /** A heartbeat is over: reports that waited for it may go. */
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

  /** What the reports free is granted anew in the very call that frees it. */
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
