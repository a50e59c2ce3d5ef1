package dev.muster.sdk.internal.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muster.sdk.MusterException;
import dev.muster.v1.JobDefinition;
import io.grpc.Status.Code;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A worker with definitions, under a virtual clock. */
class ApplierTest {
  private static final MusterException UNAVAILABLE =
      MusterException.of(Code.UNAVAILABLE, "not there");

  private final FakeWorld world =
      new FakeWorld(
          1,
          List.of(
              JobDefinition.newBuilder().setName("a").build(),
              JobDefinition.newBuilder().setName("b").build()));

  private List<String> names() {
    return world.applied.stream().map(request -> request.getDefinition().getName()).toList();
  }

  @Test
  void appliesThemInOrderAndOnlyBeforeTheFirstSession() {
    world.core.start();
    world.advance(2 * FakeWorld.LATENCY - 1);
    assertEquals(List.of("a", "b"), names());
    assertTrue(world.opened.isEmpty(), "the second is not stored yet");
    world.advance(1);
    assertEquals(1, world.opened.size());
    world.advance(FakeWorld.LATENCY);
    world.refuseBeat =
        request ->
            MusterException.of(Code.FAILED_PRECONDITION, "LEASE_LOST", "it is over", Map.of());
    world.advance(10_000);
    assertTrue(world.opened.size() > 1);
    assertEquals(2, world.applied.size());
  }

  @Test
  void waitsForTheServerWithoutLimitUnderOneRequestId() {
    world.refuseApplying = request -> UNAVAILABLE;
    world.core.start();
    world.advance(60_000);
    int calls = world.applied.size();
    assertTrue(calls > 30 && calls < 70, () -> calls + " calls in a minute");
    assertEquals(
        1, world.applied.stream().map(request -> request.getRequestId()).distinct().count());
    assertTrue(world.opened.isEmpty());
    world.refuseApplying = request -> null;
    world.advance(3_000);
    assertEquals("b", names().get(names().size() - 1));
    assertTrue(world.saw(CoreEvent.Opened.class));
  }

  @Test
  void waitsForAServerThatDoesNotAnswer() {
    world.silent = true;
    world.core.start();
    world.advance(9_000);
    world.silent = false;
    world.advance(2_000);
    assertEquals(List.of("a", "a", "b"), names());
    assertTrue(world.saw(CoreEvent.Opened.class));
  }

  @Test
  void anyOtherFailureEndsTheStart() {
    MusterException refusal = MusterException.of(Code.NOT_FOUND, "there is no such step");
    world.refuseApplying = request -> refusal;
    world.core.start();
    world.advance(60_000);
    assertEquals(List.of("a"), names());
    assertEquals(List.of(new CoreEvent.Failed(refusal)), world.events);
    assertTrue(world.opened.isEmpty());
  }

  @Test
  void aWorkerThatIsStoppedAppliesNothingMore() {
    world.core.start();
    world.core.drain();
    world.advance(60_000);
    assertEquals(List.of("a"), names());
    assertTrue(world.saw(CoreEvent.Closed.class));
    assertFalse(world.saw(CoreEvent.Opened.class));
  }
}
