package dev.muster.sdk.internal.core;

import com.google.protobuf.ByteString;
import dev.muster.sdk.MusterException;
import dev.muster.sdk.StopReason;
import dev.muster.sdk.internal.Times;
import dev.muster.v1.ApplyJobDefinitionRequest;
import dev.muster.v1.ApplyJobDefinitionResponse;
import dev.muster.v1.Handler;
import dev.muster.v1.JobDefinition;
import dev.muster.v1.Payload;
import dev.muster.worker.v1.Assignment;
import dev.muster.worker.v1.AttemptReport;
import dev.muster.worker.v1.CancelNotice;
import dev.muster.worker.v1.CloseSessionRequest;
import dev.muster.worker.v1.CloseSessionResponse;
import dev.muster.worker.v1.OpenSessionRequest;
import dev.muster.worker.v1.OpenSessionResponse;
import dev.muster.worker.v1.ReleaseReason;
import dev.muster.worker.v1.ReportAttemptsRequest;
import dev.muster.worker.v1.ReportAttemptsResponse;
import dev.muster.worker.v1.ReportResult;
import dev.muster.worker.v1.SendHeartbeatRequest;
import dev.muster.worker.v1.SendHeartbeatResponse;
import dev.muster.worker.v1.SessionMessage;
import dev.muster.worker.v1.SuspendNotice;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.function.Function;

/** A control plane, a bus and handlers under a virtual clock. Calls are answered after 5 ms. */
final class FakeWorld implements CorePorts.SessionApi, CorePorts.Bus, CorePorts.Runner {
  static final long LATENCY = 5;

  private record Due(long at, long number, Runnable run) {}

  private final PriorityQueue<Due> timers =
      new PriorityQueue<>(Comparator.comparingLong(Due::at).thenComparingLong(Due::number));
  private final Random random = new Random(7);
  private long now = 1_000;
  private long timerNumber;
  private int sessionNumber;

  final List<ApplyJobDefinitionRequest> applied = new ArrayList<>();
  final List<OpenSessionRequest> opened = new ArrayList<>();
  final List<SendHeartbeatRequest> beats = new ArrayList<>();
  final List<Long> beatTimes = new ArrayList<>();
  final List<ReportAttemptsRequest> reports = new ArrayList<>();
  final List<CloseSessionRequest> closes = new ArrayList<>();
  final List<CoreEvent> events = new ArrayList<>();
  final Map<Integer, FakeHandler> handlers = new LinkedHashMap<>();
  final SessionCore core;

  // Settings that a test may change.
  Function<ApplyJobDefinitionRequest, MusterException> refuseApplying = request -> null;
  Function<OpenSessionRequest, MusterException> refuseOpening = request -> null;
  Function<SendHeartbeatRequest, MusterException> refuseBeat = request -> null;
  Function<ReportAttemptsRequest, MusterException> refuseReports = request -> null;
  Function<SendHeartbeatRequest, SendHeartbeatResponse> answerBeat =
      request -> SendHeartbeatResponse.getDefaultInstance();
  boolean silent;
  boolean entering = true;
  private CorePorts.BusOptions bus;
  int reconnects;

  /** A handler of one attempt. */
  final class FakeHandler implements CorePorts.Running {
    final Execution execution;
    boolean entered;
    boolean withdrawn;
    StopReason stopped;

    FakeHandler(Execution execution, boolean entered) {
      this.execution = execution;
      this.entered = entered;
    }

    @Override
    public boolean hasStarted() {
      return entered;
    }

    @Override
    public boolean withdraw() {
      withdrawn = !entered;
      return withdrawn;
    }

    @Override
    public void stop(StopReason reason) {
      stopped = reason;
    }

    void end(AttemptReport outcome) {
      core.handlersEnded(List.of(new SessionCore.HandlerEnd(execution, outcome)));
    }

    void succeed() {
      end(Outcomes.result(Payload.getDefaultInstance()));
    }
  }

  FakeWorld(int slots) {
    this(slots, List.of());
  }

  FakeWorld(int slots, List<JobDefinition> definitions) {
    OpenSessionRequest request =
        OpenSessionRequest.newBuilder()
            .setWorkerName("test")
            .setSlots(slots)
            .addHandlers(Handler.newBuilder().setName("greet"))
            .addHandlers(Handler.newBuilder().setName("old").setMinVersion(2).setMaxVersion(3))
            .build();
    core =
        new SessionCore(
            definitions,
            request,
            new CorePorts(
                () -> now,
                this::after,
                random::nextDouble,
                () -> "id-" + opened.size(),
                this,
                this,
                this,
                events::add,
                System.getLogger("test.quiet")));
  }

  /** A world whose worker is ready. */
  static FakeWorld ready(int slots) {
    FakeWorld world = new FakeWorld(slots);
    world.core.start();
    world.advance(2 * LATENCY);
    world.connectAndPing();
    return world;
  }

  /** The subscription becomes active, and a ping arrives. */
  void connectAndPing() {
    connectBus();
    ping(beats.size());
    advance(3 * LATENCY);
  }

  long now() {
    return now;
  }

  void advance(long ms) {
    long end = now + ms;
    while (!timers.isEmpty() && timers.peek().at() <= end) {
      Due due = timers.remove();
      now = Math.max(now, due.at());
      due.run().run();
    }
    now = end;
  }

  /** Simulates a frozen process: no timer rings in time. */
  void freeze(long ms) {
    now += ms;
  }

  void ping(long number) {
    publish(SessionMessage.newBuilder().setPing(number).build());
  }

  void publish(SessionMessage message) {
    bus.onMessage().accept(message);
  }

  void assign(Assignment.Builder... assignments) {
    SessionMessage.Builder message = SessionMessage.newBuilder();
    for (Assignment.Builder assignment : assignments) {
      message.addAssignments(assignment);
    }
    publish(message.build());
  }

  void cancel(int job) {
    publish(
        SessionMessage.newBuilder()
            .addCancels(CancelNotice.newBuilder().setJobId(jobId(job)).setAttempt(1))
            .build());
  }

  void suspend(int job) {
    publish(
        SessionMessage.newBuilder()
            .addSuspends(SuspendNotice.newBuilder().setJobId(jobId(job)).setAttempt(1))
            .build());
  }

  /** The subscription becomes active. */
  void connectBus() {
    bus.onStatus().accept(true);
  }

  /** The addresses for the next connection. */
  List<String> busUrls() {
    return bus.urls().get();
  }

  void loseBus() {
    bus.onStatus().accept(false);
  }

  Assignment.Builder job(int number, long creditId) {
    return Assignment.newBuilder()
        .setJobId(jobId(number))
        .setAttempt(1)
        .setCreditId(creditId)
        .setHandler("greet")
        .setDefinitionVersion(1);
  }

  static ByteString jobId(int number) {
    byte[] id = new byte[16];
    id[15] = (byte) number;
    id[14] = (byte) (number >> 8);
    return ByteString.copyFrom(id);
  }

  SendHeartbeatRequest lastBeat() {
    return beats.get(beats.size() - 1);
  }

  /** Id of the newest credit. */
  long credit() {
    long newest = 0;
    for (SendHeartbeatRequest beat : beats) {
      for (var credit : beat.getCreditsList()) {
        newest = Math.max(newest, credit.getCreditId());
      }
    }
    for (ReportAttemptsRequest report : reports) {
      for (var credit : report.getCreditsList()) {
        newest = Math.max(newest, credit.getCreditId());
      }
    }
    return newest;
  }

  /** All reports that were sent, repeats included. */
  List<AttemptReport> reported() {
    return reports.stream().flatMap(call -> call.getReportsList().stream()).toList();
  }

  /** Why attempts were given back, in order, once all pending calls are answered. */
  List<ReleaseReason> released() {
    advance(3 * LATENCY);
    return reported().stream()
        .filter(AttemptReport::hasReleased)
        .map(report -> report.getReleased().getReason())
        .toList();
  }

  boolean saw(Class<? extends CoreEvent> type) {
    return events.stream().anyMatch(type::isInstance);
  }

  private Runnable after(long ms, Runnable run) {
    Due due = new Due(now + ms, timerNumber++, run);
    timers.add(due);
    return () -> timers.remove(due);
  }

  private <T> void answer(
      CorePorts.Answer<T> answer, MusterException failure, long timeoutMs, T response) {
    if (silent) {
      MusterException late =
          MusterException.of(io.grpc.Status.Code.DEADLINE_EXCEEDED, "no answer in time");
      after(timeoutMs, () -> answer.accept(null, late));
    } else if (failure != null) {
      after(LATENCY, () -> answer.accept(null, failure));
    } else {
      after(LATENCY, () -> answer.accept(response, null));
    }
  }

  @Override
  public void applyDefinition(
      ApplyJobDefinitionRequest request,
      long timeoutMs,
      CorePorts.Answer<ApplyJobDefinitionResponse> answer) {
    applied.add(request);
    ApplyJobDefinitionResponse response =
        ApplyJobDefinitionResponse.newBuilder().setDefinition(request.getDefinition()).build();
    answer(answer, refuseApplying.apply(request), timeoutMs, response);
  }

  @Override
  public void openSession(
      OpenSessionRequest request, long timeoutMs, CorePorts.Answer<OpenSessionResponse> answer) {
    opened.add(request);
    OpenSessionResponse response =
        OpenSessionResponse.newBuilder()
            .setSessionId(jobId(1_000 + sessionNumber++))
            .setBeatInterval(Times.durationOfMillis(5_000))
            .setLease(Times.durationOfMillis(15_000))
            .setMaxPayload(1_000)
            .build();
    answer(answer, refuseOpening.apply(request), timeoutMs, response);
  }

  @Override
  public void sendHeartbeat(
      SendHeartbeatRequest request,
      long timeoutMs,
      CorePorts.Answer<SendHeartbeatResponse> answer) {
    beats.add(request);
    beatTimes.add(now);
    answer(answer, refuseBeat.apply(request), timeoutMs, answerBeat.apply(request));
  }

  @Override
  public void reportAttempts(
      ReportAttemptsRequest request,
      long timeoutMs,
      CorePorts.Answer<ReportAttemptsResponse> answer) {
    reports.add(request);
    ReportAttemptsResponse.Builder response = ReportAttemptsResponse.newBuilder();
    request
        .getReportsList()
        .forEach(report -> response.addResults(ReportResult.REPORT_RESULT_ACCEPTED));
    answer(answer, refuseReports.apply(request), timeoutMs, response.build());
  }

  @Override
  public void closeSession(
      CloseSessionRequest request, long timeoutMs, CorePorts.Answer<CloseSessionResponse> answer) {
    closes.add(request);
    answer(answer, null, timeoutMs, CloseSessionResponse.getDefaultInstance());
  }

  @Override
  public CorePorts.BusConnection connect(CorePorts.BusOptions options) {
    bus = options;
    return new CorePorts.BusConnection() {
      @Override
      public void reconnect() {
        reconnects++;
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public CorePorts.Running start(Execution execution, Assignment assignment) {
    FakeHandler handler = new FakeHandler(execution, entering);
    handlers.put(Byte.toUnsignedInt(assignment.getJobId().byteAt(15)), handler);
    return handler;
  }
}
