package dev.muster.sdk.internal.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.muster.sdk.MusterException;
import dev.muster.v1.Failure;
import dev.muster.v1.LogRecord;
import dev.muster.v1.Payload;
import dev.muster.v1.Progress;
import dev.muster.worker.v1.AttemptReport;
import dev.muster.worker.v1.SendHeartbeatRequest;
import io.grpc.Status.Code;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How reports and results of handlers reach the server. */
class ReportsTest {
  private static final MusterException UNAVAILABLE =
      MusterException.of(Code.UNAVAILABLE, "not there");
  private static final MusterException INVALID =
      MusterException.of(Code.INVALID_ARGUMENT, "a field is wrong");

  @Test
  void reportsAResultWithACreditForItsSlot() {
    FakeWorld world = FakeWorld.ready(2);
    world.assign(world.job(1, world.credit()));
    world.handlers.get(1).succeed();
    assertEquals(1, world.reports.size());
    assertTrue(world.reported().get(0).hasResult());
    assertEquals(1, world.reports.get(0).getCredits(0).getSlots());
    world.advance(FakeWorld.LATENCY);
    world.advance(5_000);
    assertEquals(0, world.lastBeat().getHeldAttemptsCount());
  }

  @Test
  void listsWhatIsHeldUntilItsReportIsAnswered() {
    FakeWorld world = FakeWorld.ready(2);
    world.assign(world.job(1, world.credit()));
    world.refuseReports = request -> UNAVAILABLE;
    world.handlers.get(1).succeed();
    world.advance(6_000);
    assertEquals(FakeWorld.jobId(1), world.lastBeat().getHeldAttempts(0).getJobId());
    assertTrue(world.lastBeat().getHeldAttempts(0).getStarted());
    assertTrue(world.reports.size() > 2);
    assertTrue(world.reported().stream().allMatch(world.reported().get(0)::equals));
    world.refuseReports = request -> null;
    world.advance(10_000);
    assertEquals(0, world.lastBeat().getHeldAttemptsCount());
  }

  @Test
  void aReportOfAFailureWaitsForItsCheckpoint() {
    FakeWorld world = FakeWorld.ready(1);
    world.assign(world.job(1, world.credit()));
    FakeWorld.FakeHandler handler = world.handlers.get(1);
    world.core.checkpoint(handler.execution, payload(10));
    handler.end(Outcomes.failed(Failure.getDefaultInstance()));
    assertTrue(world.reported().isEmpty());
    world.advance(200);
    assertTrue(world.beats.stream().anyMatch(ReportsTest::hasCheckpoint));
    assertEquals(1, world.reported().size());
  }

  @Test
  void aReportGoesWithoutItsCheckpointAfterThreeFailedBeats() {
    FakeWorld world = FakeWorld.ready(1);
    world.assign(world.job(1, world.credit()));
    FakeWorld.FakeHandler handler = world.handlers.get(1);
    world.refuseBeat = request -> UNAVAILABLE;
    world.core.checkpoint(handler.execution, payload(10));
    handler.end(Outcomes.failed(Failure.getDefaultInstance()));
    world.advance(4_000);
    assertEquals(3, world.beats.stream().filter(ReportsTest::hasCheckpoint).count());
    assertEquals(1, world.reported().size());
  }

  @Test
  void progressIsRepeatedUntilABeatIsAnswered() {
    FakeWorld world = FakeWorld.ready(1);
    world.assign(world.job(1, world.credit()));
    world.refuseBeat = request -> UNAVAILABLE;
    Progress half = Progress.newBuilder().setFraction(0.5).build();
    world.core.progress(world.handlers.get(1).execution, half);
    world.advance(2_500);
    assertEquals(half, world.lastBeat().getProgress(0).getProgress());
    world.refuseBeat = request -> null;
    world.advance(2_000);
    world.advance(5_000);
    assertEquals(0, world.lastBeat().getProgressCount());
  }

  @Test
  void logRecordsComeSoonOrWithTheReport() {
    FakeWorld world = FakeWorld.ready(1);
    world.assign(world.job(1, world.credit()));
    FakeWorld.FakeHandler handler = world.handlers.get(1);
    world.advance(1_000);
    world.core.log(handler.execution, LogRecord.newBuilder().setSequence(1).build());
    world.advance(50);
    assertEquals(1, world.lastBeat().getProgress(0).getLogsCount());
    world.core.log(handler.execution, LogRecord.newBuilder().setSequence(2).build());
    handler.succeed();
    assertEquals(2, world.reported().get(0).getLogs(0).getSequence());
  }

  @Test
  void aReportThatIsRefusedIsIsolatedAndReplaced() {
    FakeWorld world = FakeWorld.ready(10);
    long credit = world.credit();
    for (int job = 1; job <= 10; job++) {
      world.assign(world.job(job, credit));
    }
    Payload bad = payload(7);
    world.refuseReports =
        request ->
            request.getReportsList().stream().anyMatch(report -> report.getResult().equals(bad))
                ? INVALID
                : null;
    List<SessionCore.HandlerEnd> ends =
        world.handlers.entrySet().stream()
            .map(
                entry ->
                    new SessionCore.HandlerEnd(
                        entry.getValue().execution,
                        Outcomes.result(entry.getKey() == 6 ? bad : Payload.getDefaultInstance())))
            .toList();
    world.core.handlersEnded(ends);
    world.advance(500);
    assertEquals(10, world.core.statsNow().acknowledged());
    AttemptReport last = world.reported().get(world.reported().size() - 1);
    assertTrue(
        world.reported().stream()
            .anyMatch(report -> report.getFailure().getType().equals("ReportRefused")),
        last.toString());
  }

  @Test
  void aResultThatIsTooLargeIsAFailure() {
    FakeWorld world = FakeWorld.ready(1);
    world.assign(world.job(1, world.credit()));
    world.handlers.get(1).end(Outcomes.result(payload(1_001)));
    Failure failure = world.reported().get(0).getFailure();
    assertEquals("ResultTooLarge", failure.getType());
    assertTrue(failure.getNonRetryable());
  }

  private static boolean hasCheckpoint(SendHeartbeatRequest beat) {
    return beat.getProgressList().stream().anyMatch(update -> update.hasCheckpoint());
  }

  private static Payload payload(int size) {
    return Payload.newBuilder().setData(ByteString.copyFrom(new byte[size])).build();
  }
}
