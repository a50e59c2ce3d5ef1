package dev.muster.sdk.internal.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import dev.muster.sdk.MusterException;
import dev.muster.sdk.internal.Times;
import io.grpc.Status.Code;
import io.grpc.protobuf.StatusProto;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** When heartbeats are sent, especially after a failure. */
class BeatsTest {
  private static final MusterException UNAVAILABLE =
      MusterException.of(Code.UNAVAILABLE, "not there");

  private static MusterException busy(long delayMs) {
    RetryInfo retry = RetryInfo.newBuilder().setRetryDelay(Times.durationOfMillis(delayMs)).build();
    Status status =
        Status.newBuilder()
            .setCode(Code.RESOURCE_EXHAUSTED.value())
            .addDetails(Any.pack(retry))
            .build();
    return MusterException.of(StatusProto.toStatusRuntimeException(status));
  }

  /** Lets every heartbeat fail. Returns the times between them, from the first failure on. */
  private static List<Long> failAll(FakeWorld world, long ms, MusterException failure) {
    world.refuseBeat = request -> failure;
    int before = world.beatTimes.size();
    world.advance(ms);
    List<Long> times = world.beatTimes.subList(before, world.beatTimes.size());
    return IntStream.range(1, times.size()).mapToObj(i -> times.get(i) - times.get(i - 1)).toList();
  }

  private static void assertWaits(List<Long> gaps, long... longest) {
    for (int i = 0; i < longest.length; i++) {
      long wait = gaps.get(i) - FakeWorld.LATENCY;
      assertTrue(wait >= longest[i] / 2 && wait <= longest[i], i + ": " + gaps);
    }
  }

  @Test
  void waitsDoubleAfterFailuresThoughSlotsAreFree() {
    FakeWorld world = FakeWorld.ready(2);
    assertWaits(failAll(world, 12_000, UNAVAILABLE), 100, 200, 400, 800, 1_000, 1_000, 1_000);
    world.refuseBeat = request -> null;
    world.advance(2_000);
    assertWaits(failAll(world, 6_000, UNAVAILABLE), 100, 200);
  }

  /** A heartbeat that was requested before the failure waits, and so do those requested later. */
  @Test
  void theDelayThatTheServerAsksForIsKept() {
    FakeWorld world = FakeWorld.ready(2);
    world.advance(1_000);
    world.refuseBeat = request -> busy(3_000);
    world.core.setSlots(3);
    world.advance(1);
    int before = world.beats.size();
    world.core.setSlots(4);
    world.advance(1_000);
    world.core.setSlots(5);
    world.advance(2_000);
    assertEquals(before, world.beats.size());
    world.advance(110);
    assertEquals(before + 1, world.beats.size());
  }

  @Test
  void theDelayIsAnIntervalAtMost() {
    List<Long> gaps = failAll(FakeWorld.ready(2), 16_000, busy(60_000));
    assertEquals(2, gaps.size());
    assertTrue(gaps.stream().allMatch(gap -> gap >= 4_500 && gap <= 5_000), gaps.toString());
  }

  @Test
  void newsOfTheBusDoesNotWait() {
    FakeWorld world = FakeWorld.ready(2);
    world.advance(1_000);
    world.refuseBeat = request -> busy(4_000);
    world.core.setSlots(3);
    world.advance(100);
    int before = world.beats.size();
    world.loseBus();
    world.advance(1_000);
    assertEquals(before, world.beats.size());
    world.connectBus();
    assertEquals(before + 1, world.beats.size());
  }

  @Test
  void noBeatForASlotThatTheNextReportOffers() {
    FakeWorld world = FakeWorld.ready(3);
    long credit = world.credit();
    for (int job = 1; job <= 3; job++) {
      world.assign(world.job(job, credit));
    }
    int before = world.beats.size();
    world.silent = true;
    for (int job = 1; job <= 3; job++) {
      world.handlers.get(job).succeed();
    }
    world.advance(2 * Limits.OFFER_DELAY);
    assertEquals(1, world.reports.size());
    assertEquals(before, world.beats.size());
  }
}
