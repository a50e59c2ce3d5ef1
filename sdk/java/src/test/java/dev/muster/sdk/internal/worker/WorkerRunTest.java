package dev.muster.sdk.internal.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.ByteString;
import dev.muster.sdk.MusterException;
import dev.muster.sdk.PayloadCodec;
import dev.muster.sdk.StopReason;
import dev.muster.sdk.Versions;
import dev.muster.sdk.WorkerEvent;
import dev.muster.sdk.internal.transport.FakeBus;
import dev.muster.worker.v1.Assignment;
import dev.muster.worker.v1.CloseSessionRequest;
import dev.muster.worker.v1.CloseSessionResponse;
import dev.muster.worker.v1.OpenSessionRequest;
import dev.muster.worker.v1.OpenSessionResponse;
import dev.muster.worker.v1.SendHeartbeatRequest;
import dev.muster.worker.v1.SendHeartbeatResponse;
import dev.muster.worker.v1.SessionMessage;
import dev.muster.worker.v1.SessionServiceGrpc;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.api.OpenTelemetry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.ResourceBundle;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A worker with one job, whose listener or logger throws an error. */
class WorkerRunTest {
  private static final ByteString ID = ByteString.copyFrom(new byte[16]);

  private final FakeBus bus = new FakeBus();
  private final CompletableFuture<Void> closed = new CompletableFuture<>();
  private final CompletableFuture<Void> entered = new CompletableFuture<>();
  private final CompletableFuture<StopReason> stopped = new CompletableFuture<>();
  private Server server;

  /** Whether heartbeats fail once the handler runs, so that the worker logs that. */
  private volatile boolean failsBeats;

  /** Sends pings over the bus, and answers the first credits with a job. */
  private final class Sessions extends SessionServiceGrpc.SessionServiceImplBase {
    @Override
    public void openSession(OpenSessionRequest request, StreamObserver<OpenSessionResponse> to) {
      to.onNext(
          OpenSessionResponse.newBuilder()
              .setSessionId(ID)
              .addNatsUrls(bus.url())
              .setSubject("session")
              .build());
      to.onCompleted();
    }

    @Override
    public void sendHeartbeat(
        SendHeartbeatRequest request, StreamObserver<SendHeartbeatResponse> to) {
      if (failsBeats && entered.isDone()) {
        to.onError(Status.UNAVAILABLE.asRuntimeException());
        return;
      }
      SendHeartbeatResponse.Builder response = SendHeartbeatResponse.newBuilder();
      if (request.getPingEcho() == 0) {
        try {
          bus.send(SessionMessage.newBuilder().setPing(1).build());
        } catch (IOException failure) {
          throw new UncheckedIOException(failure);
        }
      } else if (request.getHeldAttemptsCount() == 0 && request.getCreditsCount() > 0) {
        response.addAssignments(
            Assignment.newBuilder()
                .setJobId(ID)
                .setAttempt(1)
                .setHandler("wait")
                .setCreditId(request.getCredits(0).getCreditId()));
      }
      to.onNext(response.build());
      to.onCompleted();
    }

    @Override
    public void closeSession(CloseSessionRequest request, StreamObserver<CloseSessionResponse> to) {
      closed.complete(null);
      to.onNext(CloseSessionResponse.getDefaultInstance());
      to.onCompleted();
    }
  }

  /** Throws each record's message, once the handler runs. */
  private final class BrokenLogger implements System.Logger {
    @Override
    public String getName() {
      return "broken";
    }

    @Override
    public boolean isLoggable(Level level) {
      return true;
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String message, Throwable thrown) {
      if (entered.isDone()) {
        throw new IllegalStateException(message, thrown);
      }
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String format, Object... parameters) {
      if (entered.isDone()) {
        throw new IllegalStateException(format);
      }
    }
  }

  @BeforeEach
  void serve() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
            .addService(new Sessions())
            .build()
            .start();
  }

  @AfterEach
  void end() throws IOException {
    server.shutdownNow();
    bus.close();
  }

  private WorkerRun run(System.Logger logger, CompletableFuture<Void> ready) {
    RegisteredHandler handler =
        new RegisteredHandler(
            Versions.ANY,
            (context, input) -> {
              entered.complete(null);
              stopped.complete(context.whenStopped().join());
              return null;
            });
    WorkerRun run =
        new WorkerRun(
            new WorkerRun.Parts(
                "127.0.0.1:" + server.getPort(),
                List.of(),
                OpenSessionRequest.newBuilder()
                    .setSlots(1)
                    .addHandlers(handler.message("wait"))
                    .build(),
                Map.of("wait", handler),
                null,
                PayloadCodec.standard(),
                new Tracing(OpenTelemetry.noop()),
                logger,
                event -> {
                  if (event == WorkerEvent.READY) {
                    ready.complete(null);
                    throw new AssertionError("the listener fails");
                  }
                }));
    run.start();
    return run;
  }

  private static <T> T soon(CompletableFuture<T> future) throws Exception {
    return future.get(30, TimeUnit.SECONDS);
  }

  private void assertAllIsOver() throws Exception {
    assertEquals(StopReason.SHUTDOWN, soon(stopped));
    soon(closed);
    soon(bus.left());
  }

  @Test
  void anErrorOfTheListenerLeavesTheWorkerAsItIs() throws Exception {
    CompletableFuture<Void> ready = new CompletableFuture<>();
    WorkerRun run = run(System.getLogger("test"), ready);
    soon(ready);
    soon(entered);
    run.close();
    soon(run.finished());
    assertAllIsOver();
  }

  @Test
  void aFaultEndsTheSubscriptionAndStopsTheHandlers() throws Exception {
    failsBeats = true;
    WorkerRun run = run(new BrokenLogger(), new CompletableFuture<>());
    ExecutionException fault = assertThrows(ExecutionException.class, () -> soon(run.finished()));
    assertInstanceOf(MusterException.class, fault.getCause());
    assertAllIsOver();
  }
}
