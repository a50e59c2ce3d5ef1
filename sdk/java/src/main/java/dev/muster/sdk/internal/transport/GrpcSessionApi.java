package dev.muster.sdk.internal.transport;

import dev.muster.sdk.MusterException;
import dev.muster.sdk.internal.core.CorePorts.Answer;
import dev.muster.sdk.internal.core.CorePorts.SessionApi;
import dev.muster.v1.ApplyJobDefinitionRequest;
import dev.muster.v1.ApplyJobDefinitionResponse;
import dev.muster.v1.JobDefinitionServiceGrpc;
import dev.muster.worker.v1.CloseSessionRequest;
import dev.muster.worker.v1.CloseSessionResponse;
import dev.muster.worker.v1.OpenSessionRequest;
import dev.muster.worker.v1.OpenSessionResponse;
import dev.muster.worker.v1.ReportAttemptsRequest;
import dev.muster.worker.v1.ReportAttemptsResponse;
import dev.muster.worker.v1.SendHeartbeatRequest;
import dev.muster.worker.v1.SendHeartbeatResponse;
import dev.muster.worker.v1.SessionServiceGrpc;
import io.grpc.Channel;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** The calls of a worker over gRPC. */
public final class GrpcSessionApi implements SessionApi {
  private final JobDefinitionServiceGrpc.JobDefinitionServiceStub definitions;
  private final SessionServiceGrpc.SessionServiceStub sessions;
  private final Executor coreThread;

  /**
   * Calls wait for a connection within their deadline, so that they are sent as soon as there is
   * one.
   */
  public GrpcSessionApi(Channel channel, Executor coreThread) {
    definitions = JobDefinitionServiceGrpc.newStub(channel).withWaitForReady();
    sessions = SessionServiceGrpc.newStub(channel).withWaitForReady();
    this.coreThread = coreThread;
  }

  @Override
  public void applyDefinition(
      ApplyJobDefinitionRequest request,
      long timeoutMs,
      Answer<ApplyJobDefinitionResponse> answer) {
    within(timeoutMs, definitions).applyJobDefinition(request, observer(answer));
  }

  @Override
  public void openSession(
      OpenSessionRequest request, long timeoutMs, Answer<OpenSessionResponse> answer) {
    within(timeoutMs, sessions).openSession(request, observer(answer));
  }

  @Override
  public void sendHeartbeat(
      SendHeartbeatRequest request, long timeoutMs, Answer<SendHeartbeatResponse> answer) {
    within(timeoutMs, sessions).sendHeartbeat(request, observer(answer));
  }

  @Override
  public void reportAttempts(
      ReportAttemptsRequest request, long timeoutMs, Answer<ReportAttemptsResponse> answer) {
    within(timeoutMs, sessions).reportAttempts(request, observer(answer));
  }

  @Override
  public void closeSession(
      CloseSessionRequest request, long timeoutMs, Answer<CloseSessionResponse> answer) {
    within(timeoutMs, sessions).closeSession(request, observer(answer));
  }

  private static <S extends AbstractStub<S>> S within(long timeoutMs, S stub) {
    return stub.withDeadlineAfter(timeoutMs, TimeUnit.MILLISECONDS);
  }

  private <T> StreamObserver<T> observer(Answer<T> answer) {
    return new StreamObserver<>() {
      private T response;

      @Override
      public void onNext(T value) {
        response = value;
      }

      @Override
      public void onError(Throwable error) {
        MusterException failure = MusterException.of(error);
        coreThread.execute(() -> answer.accept(null, failure));
      }

      @Override
      public void onCompleted() {
        coreThread.execute(() -> answer.accept(response, null));
      }
    };
  }
}
