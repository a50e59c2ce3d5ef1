package dev.muster.sdk.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muster.sdk.ChildOptions;
import dev.muster.sdk.JobContext;
import dev.muster.sdk.JobFailure;
import dev.muster.sdk.MusterException;
import dev.muster.sdk.StopReason;
import dev.muster.v1.Failure;
import dev.muster.v1.Job;
import dev.muster.v1.JobState;
import dev.muster.v1.JobSubmission;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Tests of handlers with children. */
class HandlerTestChildrenTest {
  private static int sumOfSquares(JobContext ctx, Integer count) {
    ctx.log("run " + ctx.attempt() + " from " + ctx.lastCheckpoint(String.class).orElse("nothing"));
    ctx.checkpoint("submitted");
    List<String> children =
        IntStream.range(0, count).mapToObj(side -> ctx.submit("square", side)).toList();
    return ctx.results(children, Integer.class).stream().mapToInt(Integer::intValue).sum();
  }

  private static int square(JobContext ctx, Integer side) {
    return side * side;
  }

  private static List<String> definitions(HandlerOutcome outcome) {
    return outcome.children().stream().map(JobSubmission::getDefinition).toList();
  }

  @Test
  void theHandlerRunsAgainOnceItsChildrenHaveEnded() {
    HandlerOutcome outcome =
        new HandlerTest()
            .child("square", Integer.class, HandlerTestChildrenTest::square)
            .run(Integer.class, HandlerTestChildrenTest::sumOfSquares, 4);
    assertEquals(14, outcome.result(Integer.class));
    assertEquals(2, outcome.runs());
    assertEquals(List.of("square", "square", "square", "square"), definitions(outcome));
    assertEquals(
        List.of("run 1 from nothing", "run 2 from submitted"),
        outcome.logs().stream().map(record -> record.getMessage()).toList());
    assertEquals(2, outcome.checkpoints(String.class).size());
  }

  @Test
  void whatAChildThrowsIsItsFailure() {
    HandlerTest test =
        new HandlerTest()
            .child(
                "square",
                Integer.class,
                (ctx, side) -> {
                  throw new JobFailure("NoSquare", "of " + side).nonRetryable();
                });
    Failure failure =
        test.run(Integer.class, HandlerTestChildrenTest::sumOfSquares, 1).failure().orElseThrow();
    assertEquals("JobFailedException", failure.getType());
    assertTrue(failure.getMessage().endsWith("ended FAILED: NoSquare: of 0"), failure::getMessage);
    List<?> seen =
        test.run(
                Void.class,
                (ctx, nothing) -> {
                  Job child = ctx.ended(List.of(ctx.submit("square", 7))).get(0);
                  return List.of(child.getState(), child.getFailure().getType());
                },
                null)
            .result(List.class);
    assertEquals(List.of(JobState.JOB_STATE_FAILED.name(), "NoSquare"), seen);
  }

  @Test
  void childrenHaveChildren() {
    HandlerOutcome outcome =
        new HandlerTest()
            .child("square", Integer.class, HandlerTestChildrenTest::square)
            .child("sum", Integer.class, HandlerTestChildrenTest::sumOfSquares)
            .run(
                Void.class,
                (ctx, nothing) ->
                    ctx.results(List.of(ctx.submit("sum", 3), ctx.submit("sum", 4)), Integer.class),
                null);
    assertEquals(List.of(5, 14), outcome.result(List.class));
    assertEquals(List.of("sum", "sum"), definitions(outcome));
  }

  @Test
  void aHandlerThatSubmitsOthersWhenItRunsAgainIsRefused() {
    List<Integer> sides = new ArrayList<>();
    Failure failure =
        new HandlerTest()
            .child("square", Integer.class, HandlerTestChildrenTest::square)
            .run(
                Void.class,
                (ctx, nothing) -> {
                  sides.add(1);
                  return ctx.results(List.of(ctx.submit("square", sides.size())), Integer.class);
                },
                null)
            .failure()
            .orElseThrow();
    assertEquals("MusterException", failure.getType());
    assertTrue(failure.getMessage().contains("in the place of this one"), failure::getMessage);
  }

  @Test
  void refusesWhatTheTestSaysNothingOf() {
    new HandlerTest()
        .run(
            Void.class,
            (ctx, nothing) -> {
              MusterException unknown =
                  assertThrows(MusterException.class, () -> ctx.submit("square", 1));
              assertEquals("DEFINITION_NOT_FOUND", unknown.reason());
              MusterException stranger =
                  assertThrows(MusterException.class, () -> ctx.ended(List.of("nobody")));
              assertEquals("JOB_NOT_FOUND", stranger.reason());
              return null;
            },
            null)
        .result(Void.class);
  }

  @Test
  void aHandlerThatNeverEndsIsFound() {
    CompletableFuture<HandlerOutcome> outcome =
        new HandlerTest()
            .child("square", Integer.class, HandlerTestChildrenTest::square)
            .start(
                Void.class,
                (ctx, nothing) -> {
                  ChildOptions another = ChildOptions.NONE.key("run " + ctx.attempt());
                  return ctx.results(List.of(ctx.submit("square", 1, another)), Integer.class);
                },
                null)
            .outcome();
    CompletionException endless = assertThrows(CompletionException.class, outcome::join);
    assertTrue(endless.getMessage().endsWith("for the 100th time"), endless::getMessage);
  }

  @Test
  void aHandlerThatWasStoppedIsNotRunAgain() throws Exception {
    CountDownLatch submitted = new CountDownLatch(1);
    RunningHandler running =
        new HandlerTest()
            .child("square", Integer.class, HandlerTestChildrenTest::square)
            .startAsync(
                Void.class,
                (ctx, nothing) ->
                    CompletableFuture.supplyAsync(
                        () -> {
                          String child = ctx.submit("square", 1);
                          submitted.countDown();
                          ctx.whenStopped().join();
                          return ctx.results(List.of(child), Integer.class);
                        }),
                null);
    submitted.await();
    running.stop(StopReason.CANCELLED);
    HandlerOutcome outcome = running.await();
    assertEquals(1, outcome.runs());
    assertThrows(IllegalStateException.class, () -> outcome.result(List.class));
    assertTrue(outcome.failure().isEmpty());
  }

  @Test
  void asynchronousHandlersHaveChildren() {
    HandlerOutcome outcome =
        new HandlerTest()
            .child("square", Integer.class, HandlerTestChildrenTest::square)
            .startAsync(
                Integer.class,
                (ctx, count) -> CompletableFuture.supplyAsync(() -> sumOfSquares(ctx, count)),
                3)
            .await();
    assertEquals(5, outcome.result(Integer.class));
    assertEquals(2, outcome.runs());
  }
}
