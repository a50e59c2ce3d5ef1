package dev.muster.sdk;

import dev.muster.sdk.internal.transport.Following;
import dev.muster.sdk.internal.transport.Following.Received;
import dev.muster.sdk.internal.transport.ServerStream;
import dev.muster.v1.JobServiceGrpc;
import dev.muster.v1.LogRecord;
import dev.muster.v1.WatchAttemptLogsRequest;
import dev.muster.v1.WatchAttemptLogsResponse;

/** Follows the log records of handlers over streams that may break. Each record arrives once. */
final class AttemptLogs {
  private final ClientCalls calls;
  private final WatchAttemptLogsRequest.Builder request;

  private AttemptLogs(ClientCalls calls, String jobId, int attempt) {
    this.calls = calls;
    request =
        WatchAttemptLogsRequest.newBuilder()
            .setNamespace(calls.namespace())
            .setJobId(jobId)
            .setAttempt(attempt);
  }

  static Following<WatchAttemptLogsResponse, LogRecord> of(
      ClientCalls calls, String jobId, int attempt) {
    AttemptLogs logs = new AttemptLogs(calls, jobId, attempt);
    return new Following<>(calls.retry(), logs::open, logs::take);
  }

  private ServerStream<WatchAttemptLogsRequest, WatchAttemptLogsResponse> open() {
    return new ServerStream<>(
        calls.channel(), JobServiceGrpc.getWatchAttemptLogsMethod(), request.build());
  }

  private Received<LogRecord> take(WatchAttemptLogsResponse response) {
    request.setResumeToken(response.getResumeToken());
    return new Received<>(response.getRecordsList(), response.getEnded());
  }
}
