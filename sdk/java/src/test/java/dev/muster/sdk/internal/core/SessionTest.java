package dev.muster.sdk.internal.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.muster.sdk.MusterException;
import dev.muster.sdk.StopReason;
import dev.muster.sdk.internal.Times;
import dev.muster.v1.AttemptReport;
import dev.muster.v1.Failure;
import dev.muster.v1.FailureCause;
import dev.muster.v1.HeartbeatRequest;
import dev.muster.v1.HeartbeatResponse;
import dev.muster.v1.LeaseLossAction;
import dev.muster.v1.LogRecord;
import dev.muster.v1.Payload;
import dev.muster.v1.Progress;
import dev.muster.v1.ReleaseReason;
import io.grpc.Status.Code;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SessionTest {
  private static final MusterException UNAVAILABLE =
      MusterException.of(Code.UNAVAILABLE, "not there");
  private static final MusterException LEASE_LOST =
      MusterException.of(Code.FAILED_PRECONDITION, "LEASE_LOST", "the session is over", Map.of());
  private static final MusterException INVALID =
      MusterException.of(Code.INVALID_ARGUMENT, "a field is wrong");

  @Test
  void grantsNothingBeforeThePingAndEverythingWithItsEcho() {
    FakeWorld world = new FakeWorld(4);
    world.core.start();
    world.advance(100);
    assertTrue(world.beats.stream().allMatch(beat -> beat.getCreditsCount() == 0));
    world.hear();
    HeartbeatRequest granting =
        world.beats.stream().filter(beat -> beat.getCreditsCount() > 0).findFirst().orElseThrow();
    assertTrue(granting.getPingEcho() > 0);
    assertEquals(4, granting.getCredits(0).getSlots());
    assertTrue(world.saw(CoreEvent.Ready.class));
  }

  @Test
  void reportsAResultWithACreditForItsPlace() {
    FakeWorld world = FakeWorld.ready(2);
    world.assign(world.job(1, world.credit()));
    world.handlers.get(1).succeed();
    assertEquals(1, world.reports.size());
    assertTrue(world.reported().get(0).hasResult());
    assertEquals(1, world.reports.get(0).getCredits(0).getSlots());
    world.advance(FakeWorld.LATENCY);
    world.advance(5_000);
    assertEquals(0, world.lastBeat().getHeldCount());
  }

  @Test
  void listsWhatIsHeldUntilItsReportIsAnswered() {
    FakeWorld world = FakeWorld.ready(2);
    world.assign(world.job(1, world.credit()));
    world.refuseReports = request -> UNAVAILABLE;
    world.handlers.get(1).succeed();
    world.advance(6_000);
    assertEquals(FakeWorld.jobId(1), world.lastBeat().getHeld(0).getJobId());
    assertTrue(world.lastBeat().getHeld(0).getStarted());
    assertTrue(world.reports.size() > 2);
    assertTrue(world.reported().stream().allMatch(world.reported().get(0)::equals));
    world.refuseReports = request -> null;
    world.advance(10_000);
    assertEquals(0, world.lastBeat().getHeldCount());
  }

  @Test
  void ignoresDuplicatesOfWhatIsHeldAndOfWhatWas() {
    FakeWorld world = FakeWorld.ready(2);
    long credit = world.credit();
    world.assign(world.job(1, credit));
    world.assign(world.job(1, credit));
    world.handlers.get(1).succeed();
    world.advance(100);
    world.assign(world.job(1, credit));
    world.advance(100);
    assertEquals(1, world.reported().size());
    assertEquals(2, world.core.statsNow().duplicates());
  }

  @Test
  void releasesWhatItCanNotTake() {
    FakeWorld world = FakeWorld.ready(1);
    long credit = world.credit();
    world.assign(world.job(1, credit).setHandler("unknown"));
    world.assign(world.job(2, credit).setHandler("old"));
    world.assign(world.job(3, 999));
    assertEquals(
        List.of(
            ReleaseReason.RELEASE_REASON_UNSUPPORTED,
            ReleaseReason.RELEASE_REASON_UNSUPPORTED,
            ReleaseReason.RELEASE_REASON_DEAD_CREDIT),
        released(world));
    assertTrue(world.handlers.isEmpty());
  }

  @Test
  void aCancelThatOvertookItsAssignmentReleasesIt() {
    FakeWorld world = FakeWorld.ready(1);
    world.cancel(1);
    world.assign(world.job(1, world.credit()));
    assertEquals(List.of(ReleaseReason.RELEASE_REASON_CANCELLED), released(world));
    world.cancel(2);
    world.advance(15_001);
    world.assign(world.job(2, world.credit()));
    assertTrue(world.handlers.containsKey(2));
  }

  @Test
  void aCancelSignalsTheHandlerAndAResultStillWins() {
    FakeWorld world = FakeWorld.ready(2);
    long credit = world.credit();
    world.assign(world.job(1, credit), world.job(2, credit));
    world.cancel(1);
    world.cancel(2);
    assertEquals(StopReason.CANCELLED, world.handlers.get(1).stopped);
    world.handlers.get(1).succeed();
    world.handlers.get(2).end(Outcomes.failed(Failure.getDefaultInstance()));
    world.advance(100);
    assertTrue(world.reported().get(0).hasResult());
    assertTrue(world.reported().get(1).hasCancelled());
  }

  @Test
  void aPrefetchedAttemptWaitsASecondForItsPlace() {
    FakeWorld world = FakeWorld.ready(1);
    long[] credits = new long[3];
    for (int job = 1; job <= 2; job++) {
      world.assign(world.job(job, world.credit()));
      world.handlers.get(job).succeed();
      world.advance(2 * FakeWorld.LATENCY);
      credits[job] = world.credit();
    }
    world.assign(world.job(3, credits[2]));
    world.assign(
        world.job(4, credits[2]).setPrefetch(true), world.job(5, credits[1]).setPrefetch(true));
    assertFalse(world.handlers.containsKey(4));
    world.handlers.get(3).succeed();
    assertTrue(world.handlers.containsKey(4));
    world.advance(1_100);
    assertEquals(List.of(ReleaseReason.RELEASE_REASON_NOT_STARTED), released(world));
  }

  @Test
  void theFenceStopsHandlersAndKeepsBeating() {
    FakeWorld world = FakeWorld.ready(3);
    long credit = world.credit();
    world.entering = false;
    world.assign(world.job(1, credit));
    world.entering = true;
    world.assign(
        world.job(2, credit),
        world.job(3, credit).setLeaseLossAction(LeaseLossAction.LEASE_LOSS_ACTION_CONTINUE));
    world.silent = true;
    world.advance(14_000);
    assertTrue(world.saw(CoreEvent.Fenced.class));
    assertTrue(world.handlers.get(1).withdrawn);
    assertEquals(StopReason.LEASE_LOST, world.handlers.get(2).stopped);
    assertNull(world.handlers.get(3).stopped);
    assertTrue(world.reported().stream().anyMatch(AttemptReport::hasAborted));
    assertEquals(3, world.lastBeat().getHeldCount());
    world.assign(world.job(4, credit));
    assertFalse(world.handlers.containsKey(4));

    world.silent = false;
    world.advance(15_000);
    assertTrue(world.saw(CoreEvent.Recovered.class));
    assertEquals(1, world.lastBeat().getHeldCount());
    world.handlers.get(3).succeed();
    world.advance(100);
    assertTrue(world.reported().stream().anyMatch(AttemptReport::hasResult));
  }

  @Test
  void aProcessThatStoodStillStartsNothingPastTheFence() {
    FakeWorld world = FakeWorld.ready(1);
    world.freeze(20_000);
    world.assign(world.job(1, world.credit()));
    assertFalse(world.handlers.containsKey(1));
    assertFalse(world.core.mayEnter());
    world.core.watch();
    assertTrue(world.saw(CoreEvent.Fenced.class));
  }

  @Test
  void aHandlerGetsFiveSecondsAfterItsRunTimeout() {
    FakeWorld world = FakeWorld.ready(1);
    world.assign(world.job(1, world.credit()).setRunTimeout(Times.durationOfMillis(1_000)));
    world.advance(1_000);
    assertEquals(StopReason.RUN_TIMEOUT, world.handlers.get(1).stopped);
    world.advance(4_900);
    assertTrue(world.reported().isEmpty());
    world.advance(200);
    Failure failure = world.reported().get(0).getFailure();
    assertEquals("RunTimeout", failure.getType());
    assertEquals(FailureCause.FAILURE_CAUSE_TIMEOUT, failure.getFailureCause());
    world.advance(100);
    assertEquals(0, world.lastBeat().getCreditsList().size());
    world.handlers.get(1).succeed();
    world.advance(200);
    assertEquals(1, world.reported().size());
  }

  @Test
  void moreTimeMovesTheRunTimeoutAndIsSaidInTime() {
    FakeWorld world = FakeWorld.ready(1);
    world.assign(world.job(1, world.credit()).setRunTimeout(Times.durationOfMillis(300)));
    world.advance(200);
    world.core.extendRunTimeout(world.handlers.get(1).execution, 1_000);
    world.advance(100);
    assertEquals(1_000, Times.millis(world.lastBeat().getProgress(0).getRunTimeoutExtension()));
    assertNull(world.handlers.get(1).stopped);
    world.advance(1_000);
    assertEquals(StopReason.RUN_TIMEOUT, world.handlers.get(1).stopped);
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
    assertTrue(world.beats.stream().anyMatch(SessionTest::hasCheckpoint));
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
    assertEquals(3, world.beats.stream().filter(SessionTest::hasCheckpoint).count());
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
  void fourBeatsMayWaitForTheirAnswers() {
    FakeWorld world = FakeWorld.ready(1);
    world.silent = true;
    int before = world.beats.size();
    for (int i = 0; i < 12; i++) {
      world.core.progress(anExecution(world, i), Progress.getDefaultInstance());
      world.advance(400);
    }
    assertEquals(4, world.beats.size() - before, "until the first has failed, after five seconds");
  }

  private static Execution anExecution(FakeWorld world, int round) {
    if (round == 0) {
      world.assign(world.job(1, world.credit()));
    }
    return world.handlers.get(1).execution;
  }

  @Test
  void beatsKeepADistance() {
    FakeWorld world = FakeWorld.ready(50);
    for (int job = 1; job <= 50; job++) {
      world.assign(world.job(job, world.credit()));
      world.core.log(
          world.handlers.get(job).execution, LogRecord.newBuilder().setSequence(1).build());
      world.advance(10);
    }
    for (int i = 4; i < world.beatTimes.size(); i++) {
      assertTrue(world.beatTimes.get(i) - world.beatTimes.get(i - 1) >= Limits.MIN_BEAT_GAP);
    }
  }

  @Test
  void voidsCreditsThatGrowOldAndThoseOfFailedCalls() {
    FakeWorld world = FakeWorld.ready(2);
    long first = world.credit();
    world.advance(10_000);
    assertTrue(world.credit() > first);
    assertTrue(
        world.beats.stream().anyMatch(beat -> beat.getVoidedCreditIdsList().contains(first)));
    long second = world.credit();
    world.loseBus();
    world.advance(600);
    assertTrue(world.lastBeat().getVoidedCreditIdsList().contains(second));
    world.refuseBeat = request -> UNAVAILABLE;
    world.advance(12_000);
    world.refuseBeat = request -> null;
    long third = world.credit();
    world.advance(1_500);
    assertTrue(
        world.beats.stream().anyMatch(beat -> beat.getVoidedCreditIdsList().contains(third)));
  }

  @Test
  void aLostSessionStopsHandlersAndOpensAnother() {
    FakeWorld world = FakeWorld.ready(2);
    world.assign(world.job(1, world.credit()));
    world.advance(2_000);
    ByteString lost = world.lastBeat().getSessionId();
    world.refuseBeat = request -> request.getSessionId().equals(lost) ? LEASE_LOST : null;
    world.advance(5_000);
    assertTrue(world.saw(CoreEvent.Lost.class));
    assertEquals(StopReason.LEASE_LOST, world.handlers.get(1).stopped);
    assertNotEquals(world.opened.get(0).getRequestId(), world.opened.get(1).getRequestId());
    world.handlers.get(1).succeed();
    world.hear();
    assertTrue(world.reported().isEmpty(), "what it returned is dropped");
    assertEquals(2, world.lastBeat().getCredits(0).getSlots());
  }

  @Test
  void opensUnderOneRequestIdForFiveSeconds() {
    FakeWorld world = new FakeWorld(1);
    world.refuseOpening = request -> UNAVAILABLE;
    world.core.start();
    world.advance(4_000);
    assertTrue(world.opened.size() > 2);
    assertEquals(
        1, world.opened.stream().map(request -> request.getRequestId()).distinct().count());
    world.advance(8_000);
    assertTrue(world.opened.stream().map(request -> request.getRequestId()).distinct().count() > 1);
    assertFalse(world.saw(CoreEvent.Failed.class));
  }

  @Test
  void givesUpWhenItIsRefusedForGood() {
    for (Code code : List.of(Code.INVALID_ARGUMENT, Code.UNIMPLEMENTED, Code.PERMISSION_DENIED)) {
      FakeWorld world = new FakeWorld(1);
      world.refuseOpening = request -> MusterException.of(code, "no");
      world.core.start();
      world.advance(60_000);
      assertEquals(1, world.opened.size());
      assertTrue(world.saw(CoreEvent.Failed.class));
    }
  }

  @Test
  void drainsInOrder() {
    FakeWorld world = FakeWorld.ready(2);
    long credit = world.credit();
    world.assign(world.job(1, credit));
    world.entering = false;
    world.assign(world.job(2, credit));
    world.core.drain();
    assertEquals(List.of(ReleaseReason.RELEASE_REASON_DRAIN), released(world));
    world.advance(100);
    assertTrue(world.lastBeat().getDraining());
    assertEquals(0, world.lastBeat().getCreditsCount());
    world.assign(world.job(3, credit));
    assertEquals(2, released(world).size());
    assertTrue(world.closes.isEmpty());
    world.handlers.get(1).succeed();
    world.advance(100);
    assertEquals(1, world.closes.size());
    assertTrue(world.saw(CoreEvent.Closed.class));
  }

  @Test
  void anAnswerMayAskItToDrainAndToReconnect() {
    FakeWorld world = FakeWorld.ready(1);
    world.answerBeat =
        request -> HeartbeatResponse.newBuilder().setDrain(true).setReconnectBus(true).build();
    world.advance(6_000);
    assertTrue(world.reconnects > 0);
    assertTrue(world.saw(CoreEvent.Closed.class));
  }

  @Test
  void whileTheBusIsDownCreditsAreGrantedAndAssignmentsComeInAnswers() {
    FakeWorld world = new FakeWorld(1);
    world.answerBeat =
        request -> {
          HeartbeatResponse.Builder answer =
              HeartbeatResponse.newBuilder().setNextBeat(Times.durationOfMillis(500));
          request
              .getCreditsList()
              .forEach(credit -> answer.addAssignments(world.job(1, credit.getCreditId())));
          return answer.build();
        };
    world.core.start();
    world.advance(2_000);
    assertTrue(world.handlers.containsKey(1));
    assertTrue(world.beats.size() >= 4);
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
    assertTrue(failure.getFinal());
  }

  @Test
  void otherSlotsAreGrantedAnew() {
    FakeWorld world = FakeWorld.ready(1);
    world.core.setSlots(7);
    world.advance(200);
    assertEquals(7, world.lastBeat().getCredits(0).getSlots());
    assertEquals(1, world.lastBeat().getVoidedCreditIdsCount());
  }

  private static boolean hasCheckpoint(HeartbeatRequest beat) {
    return beat.getProgressList().stream().anyMatch(update -> update.hasCheckpoint());
  }

  private static List<ReleaseReason> released(FakeWorld world) {
    world.advance(3 * FakeWorld.LATENCY);
    return world.reported().stream()
        .filter(AttemptReport::hasReleased)
        .map(report -> report.getReleased().getReason())
        .toList();
  }

  private static Payload payload(int size) {
    return Payload.newBuilder().setData(ByteString.copyFrom(new byte[size])).build();
  }
}
