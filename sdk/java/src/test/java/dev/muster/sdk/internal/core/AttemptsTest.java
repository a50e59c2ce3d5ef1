package dev.muster.sdk.internal.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muster.sdk.MusterException;
import dev.muster.sdk.StopReason;
import dev.muster.sdk.internal.Times;
import dev.muster.v1.Failure;
import dev.muster.v1.FailureCause;
import dev.muster.v1.LeaseLossAction;
import dev.muster.worker.v1.AttemptReport;
import dev.muster.worker.v1.ReleaseReason;
import io.grpc.Status.Code;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How attempts are accepted, signalled and given back. */
class AttemptsTest {
  private static final MusterException LEASE_LOST =
      MusterException.of(Code.FAILED_PRECONDITION, "LEASE_LOST", "the session is over", Map.of());

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
        world.released());
    assertTrue(world.handlers.isEmpty());
  }

  @Test
  void aCancelThatOvertookItsAssignmentReleasesIt() {
    FakeWorld world = FakeWorld.ready(1);
    world.cancel(1);
    world.assign(world.job(1, world.credit()));
    assertEquals(List.of(ReleaseReason.RELEASE_REASON_CANCELLED), world.released());
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
  void aRequestToSuspendSignalsTheHandlerAndAResultStillWins() {
    FakeWorld world = FakeWorld.ready(2);
    long credit = world.credit();
    world.assign(world.job(1, credit), world.job(2, credit));
    world.suspend(1);
    world.suspend(2);
    assertEquals(StopReason.SUSPENDED, world.handlers.get(1).stopped);
    world.handlers.get(1).succeed();
    world.handlers.get(2).end(Outcomes.failed(Failure.getDefaultInstance()));
    world.advance(100);
    assertTrue(world.reported().get(0).hasResult());
    assertTrue(world.reported().get(1).hasSuspended());
  }

  @Test
  void aRequestToSuspendThatOvertookItsAssignmentIsDropped() {
    FakeWorld world = FakeWorld.ready(1);
    world.suspend(1);
    world.assign(world.job(1, world.credit()));
    assertNull(world.handlers.get(1).stopped);
    world.suspend(1);
    assertEquals(StopReason.SUSPENDED, world.handlers.get(1).stopped);
  }

  @Test
  void aPrefetchedAttemptWaitsASecondForItsSlot() {
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
    assertEquals(List.of(ReleaseReason.RELEASE_REASON_NOT_STARTED), world.released());
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
    assertEquals(3, world.lastBeat().getHeldAttemptsCount());
    world.assign(world.job(4, credit));
    assertFalse(world.handlers.containsKey(4));

    world.silent = false;
    world.advance(15_000);
    assertTrue(world.saw(CoreEvent.Recovered.class));
    assertEquals(1, world.lastBeat().getHeldAttemptsCount());
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
}
