package dev.muster.sdk.internal.core;

import dev.muster.sdk.MusterException;
import dev.muster.worker.v1.AttemptReport;
import dev.muster.worker.v1.ReportAttemptsResponse;
import dev.muster.worker.v1.ReportResult;
import io.grpc.Status.Code;
import java.util.ArrayList;
import java.util.List;

/**
 * Sends reports until each is acknowledged. With no call in progress it sends at once; otherwise
 * reports collect for the next call.
 */
final class Reports {
  private static final String REFUSED = "ReportRefused";

  /** The owner of the reports. */
  interface Owner {
    /** Makes the call, which also carries credits. */
    void sendReports(List<AttemptReport> reports, CorePorts.Answer<ReportAttemptsResponse> answer);

    /** The server has closed the attempt, or says that this session does not own it. */
    void acknowledged(Held held);

    void leaseLost();

    /** A call is over, and everything that could be sent has been sent. */
    void settled();
  }

  private final CorePorts ports;
  private final Owner owner;
  private final ReportBatches batches = new ReportBatches();
  private final Alarm retry;
  private int inFlight;
  private int failures;
  private boolean waiting;
  private boolean closed;

  Reports(CorePorts ports, Owner owner) {
    this.ports = ports;
    this.owner = owner;
    retry =
        new Alarm(
            ports,
            () -> {
              waiting = false;
              flush();
            });
  }

  /** Whether so much is pending that no more attempts should be requested. */
  boolean backlogged() {
    return batches.size() > Limits.MAX_PENDING_REPORTS
        || batches.bytes() > Limits.MAX_PENDING_REPORT_BYTES;
  }

  /** Whether a report is pending or being sent, so that its call will offer free slots. */
  boolean active() {
    return inFlight > 0 || batches.size() > 0;
  }

  /** Queues a report; {@link #flush} sends it. */
  void add(Held held, AttemptReport outcome) {
    batches.add(new PendingReport(held, outcome));
  }

  void flush() {
    while (mayCall()) {
      call(batches.take());
    }
  }

  void close() {
    closed = true;
    retry.cancel();
  }

  private boolean mayCall() {
    if (closed || waiting || batches.size() == 0) {
      return false;
    }
    if (inFlight == 0) {
      return true;
    }
    return inFlight < Limits.MAX_REPORT_CALLS && batches.size() >= Limits.SECOND_CALL_FROM;
  }

  private void call(List<PendingReport> batch) {
    inFlight++;
    owner.sendReports(
        batch.stream().map(report -> report.message).toList(),
        (response, failure) -> settle(batch, response, failure));
  }

  private void settle(
      List<PendingReport> batch, ReportAttemptsResponse response, MusterException failure) {
    inFlight--;
    if (closed) {
      return;
    }
    if (failure == null) {
      answered(batch, response);
    } else {
      failed(batch, failure);
    }
    flush();
    if (!closed) {
      owner.settled();
    }
  }

  private void answered(List<PendingReport> batch, ReportAttemptsResponse response) {
    List<PendingReport> unanswered = new ArrayList<>();
    for (int i = 0; i < batch.size(); i++) {
      boolean said =
          i < response.getResultsCount()
              && response.getResults(i) != ReportResult.REPORT_RESULT_UNSPECIFIED;
      if (said) {
        owner.acknowledged(batch.get(i).held);
      } else {
        unanswered.add(batch.get(i));
      }
    }
    if (unanswered.isEmpty()) {
      failures = 0;
    } else {
      again(unanswered, MusterException.of(Code.INTERNAL, "a report was not answered"));
    }
  }

  private void failed(List<PendingReport> batch, MusterException failure) {
    if (CallFailure.isLeaseLost(failure)) {
      owner.leaseLost();
    } else if (failure.code() == Code.INVALID_ARGUMENT) {
      isolate(batch, failure);
    } else {
      again(batch, failure);
    }
  }

  /** The call failed or its outcome is unknown: the same reports are sent again after a backoff. */
  private void again(List<PendingReport> batch, MusterException failure) {
    batches.putBack(batch);
    double random = ports.random().getAsDouble();
    long wait = Backoff.after(++failures, failure, Limits.MAX_BACKOFF, random);
    ports.warn(
        "{0} reports will be sent again in {1} ms: {2}",
        batch.size(), wait, CallFailure.text(failure));
    waiting = true;
    retry.by(ports.now() + wait);
  }

  /**
   * A report that the server will never accept must not block the others: the batch is halved until
   * the report is alone.
   */
  private void isolate(List<PendingReport> batch, MusterException failure) {
    if (batch.size() > 1) {
      int half = batch.size() / 2;
      batches.putBack(batch.subList(0, half));
      batches.putBack(batch.subList(half, batch.size()));
      return;
    }
    PendingReport report = batch.get(0);
    ports.warn("a report was refused: {0}", failure.getMessage());
    boolean replaceable = report.message.hasResult() || report.message.hasFailure();
    if (!replaceable || report.message.getFailure().getType().equals(REFUSED)) {
      owner.acknowledged(report.held);
      return;
    }
    String message = "the server refused what the handler returned: " + failure.getMessage();
    report.replace(Outcomes.failed(Outcomes.sdkFailure(REFUSED, message)));
    batches.putBack(batch);
  }
}
