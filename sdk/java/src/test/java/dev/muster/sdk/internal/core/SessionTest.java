package dev.muster.sdk.internal.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.muster.sdk.MusterException;
import dev.muster.sdk.StopReason;
import dev.muster.sdk.internal.Times;
import dev.muster.v1.LogRecord;
import dev.muster.v1.Progress;
import dev.muster.worker.v1.ReleaseReason;
import dev.muster.worker.v1.SendHeartbeatRequest;
import dev.muster.worker.v1.SendHeartbeatResponse;
import io.grpc.Status.Code;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How sessions are opened, send heartbeats, grant credits and end. */
class SessionTest {
  private static final MusterException UNAVAILABLE =
      MusterException.of(Code.UNAVAILABLE, "not there");
  private static final MusterException LEASE_LOST =
      MusterException.of(Code.FAILED_PRECONDITION, "LEASE_LOST", "the session is over", Map.of());

  @Test
  void grantsNothingBeforeThePingAndEverythingWithItsEcho() {
    FakeWorld world = new FakeWorld(4);
    world.core.start();
    world.advance(100);
    assertTrue(world.beats.stream().allMatch(beat -> beat.getCreditsCount() == 0));
    world.connectAndPing();
    SendHeartbeatRequest granting =
        world.beats.stream().filter(beat -> beat.getCreditsCount() > 0).findFirst().orElseThrow();
    assertTrue(granting.getPingEcho() > 0);
    assertEquals(4, granting.getCredits(0).getSlots());
    assertTrue(world.saw(CoreEvent.Ready.class));
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
    world.connectAndPing();
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
    assertEquals(List.of(ReleaseReason.RELEASE_REASON_DRAIN), world.released());
    world.advance(100);
    assertTrue(world.lastBeat().getDraining());
    assertEquals(0, world.lastBeat().getCreditsCount());
    world.assign(world.job(3, credit));
    assertEquals(2, world.released().size());
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
        request -> SendHeartbeatResponse.newBuilder().setDrain(true).setReconnectBus(true).build();
    world.advance(6_000);
    assertTrue(world.reconnects > 0);
    assertTrue(world.saw(CoreEvent.Closed.class));
  }

  @Test
  void aConnectionGetsTimeForItsFirstPing() {
    FakeWorld world = FakeWorld.ready(1);
    world.answerBeat = request -> SendHeartbeatResponse.newBuilder().setReconnectBus(true).build();
    world.loseBus();
    world.advance(11_000);
    assertEquals(0, world.reconnects, "one that is being made is left alone");
    world.connectBus();
    world.advance(Limits.FIRST_PING_TIME - 1);
    assertEquals(0, world.reconnects, "the answer to the first beat over a new one says so still");
    world.advance(6_000);
    assertTrue(world.reconnects > 0);
  }

  @Test
  void theNextConnectionIsMadeToTheNewestAddresses() {
    FakeWorld world = FakeWorld.ready(1);
    world.answerBeat =
        request ->
            SendHeartbeatResponse.newBuilder()
                .setReconnectBus(true)
                .addNatsUrls("nats://moved")
                .build();
    world.loseBus();
    world.advance(6_000);
    assertEquals(List.of("nats://moved"), world.busUrls());
  }

  /** A ping arrives before the status that the subscription is active. */
  private static FakeWorld pingedEarly() {
    FakeWorld world = new FakeWorld(2);
    world.core.start();
    world.advance(2 * FakeWorld.LATENCY);
    world.ping(1);
    world.advance(3 * FakeWorld.LATENCY);
    return world;
  }

  @Test
  void creditsOfAnEarlyPingStayGood() {
    FakeWorld world = pingedEarly();
    long credit = world.credit();
    world.connectBus();
    world.ping(2);
    world.advance(200);
    world.assign(world.job(1, credit));
    assertTrue(world.handlers.containsKey(1));
  }

  @Test
  void creditsOfAnEarlyPingEndWithAConnectionThatNeverCameIntoForce() {
    FakeWorld world = pingedEarly();
    long credit = world.credit();
    world.loseBus();
    world.advance(600);
    assertTrue(world.lastBeat().getVoidedCreditIdsList().contains(credit));
  }

  @Test
  void whileTheBusIsDownCreditsAreGrantedAndAssignmentsComeInAnswers() {
    FakeWorld world = new FakeWorld(1);
    world.answerBeat =
        request -> {
          SendHeartbeatResponse.Builder answer =
              SendHeartbeatResponse.newBuilder().setNextBeat(Times.durationOfMillis(500));
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
  void otherSlotsAreGrantedAnew() {
    FakeWorld world = FakeWorld.ready(1);
    world.core.setSlots(7);
    world.advance(200);
    assertEquals(7, world.lastBeat().getCredits(0).getSlots());
    assertEquals(1, world.lastBeat().getVoidedCreditIdsCount());
  }
}
