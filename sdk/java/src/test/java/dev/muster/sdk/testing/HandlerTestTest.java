package dev.muster.sdk.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muster.sdk.HandlerStoppedException;
import dev.muster.sdk.JobContext;
import dev.muster.sdk.JobFailure;
import dev.muster.sdk.LogLevel;
import dev.muster.sdk.PayloadException;
import dev.muster.sdk.ProgressCounts;
import dev.muster.sdk.StopReason;
import dev.muster.v1.Failure;
import dev.muster.v1.Progress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class HandlerTestTest {
  record Rows(List<String> rows) {}

  private static int importRows(JobContext ctx, Rows input) {
    int start = ctx.lastCheckpoint(Integer.class).orElse(0);
    for (int at = start; at < input.rows().size(); at++) {
      ctx.throwIfStopped();
      if (input.rows().get(at).isEmpty()) {
        throw new JobFailure("EmptyRow", "row " + at).nonRetryable();
      }
      ctx.checkpoint(at + 1);
      ctx.progress((at + 1.0) / input.rows().size(), "row " + at);
    }
    return input.rows().size() - start;
  }

  @Test
  void givesWhatTheHandlerReturnedAndSaid() {
    HandlerOutcome outcome =
        new HandlerTest()
            .attempt(2)
            .lastCheckpoint(1)
            .run(Rows.class, HandlerTestTest::importRows, new Rows(List.of("a", "b", "c")));
    assertEquals(2, outcome.result(Integer.class));
    assertEquals(List.of(2, 3), outcome.checkpoints(Integer.class));
    assertEquals(1, outcome.progress().get(1).getFraction());
    assertTrue(outcome.failure().isEmpty());
  }

  @Test
  void aHandlerCountsUnits() {
    Progress progress = reported(ProgressCounts.of(3, 4, "rows"));
    assertEquals(0.75, progress.getFraction());
    assertEquals(List.of(3L, 4L), List.of(progress.getDone(), progress.getTotal()));
    assertEquals(List.of("copying", "rows"), List.of(progress.getMessage(), progress.getUnit()));
    assertEquals(1, reported(ProgressCounts.of(9, 4, "")).getFraction());
    assertEquals(1, reported(ProgressCounts.of(0, 0, "")).getFraction());
    assertEquals(0, reported(ProgressCounts.of(-1, 4, "")).getDone());
    assertFalse(reported(ProgressCounts.of(3, -1, "")).hasTotal());
  }

  @Test
  void aHandlerCountsUnitsWithoutATotal() {
    Progress progress = reported(ProgressCounts.of(Long.MAX_VALUE, "u".repeat(40)));
    assertEquals(0, progress.getFraction());
    assertEquals((1L << 53) - 1, progress.getDone());
    assertEquals("u".repeat(32), progress.getUnit());
    assertFalse(progress.hasTotal());
  }

  private static Progress reported(ProgressCounts counts) {
    HandlerOutcome outcome =
        new HandlerTest()
            .run(
                Rows.class,
                (ctx, input) -> {
                  ctx.progress(counts, "copying");
                  return null;
                },
                new Rows(List.of()));
    return outcome.progress().get(0);
  }

  @Test
  void aHandlerSuspendsItsJobWithACheckpoint() {
    HandlerOutcome outcome =
        new HandlerTest()
            .run(
                Rows.class,
                (ctx, input) -> {
                  throw ctx.suspend(7);
                },
                new Rows(List.of()));
    assertTrue(outcome.isSuspended());
    assertTrue(outcome.failure().isEmpty());
    assertEquals(List.of(7), outcome.checkpoints(Integer.class));
    assertThrows(IllegalStateException.class, () -> outcome.result(Integer.class));
  }

  @Test
  void givesTheFailure() {
    HandlerOutcome outcome =
        new HandlerTest().run(Rows.class, HandlerTestTest::importRows, new Rows(List.of("")));
    Failure failure = outcome.failure().orElseThrow();
    assertEquals("EmptyRow", failure.getType());
    assertTrue(failure.getNonRetryable());
    assertThrows(IllegalStateException.class, () -> outcome.result(Integer.class));
  }

  @Test
  void anInputThatDoesNotFitFailsForGood() {
    Failure failure =
        new HandlerTest()
            .run(Rows.class, HandlerTestTest::importRows, "no rows")
            .failure()
            .orElseThrow();
    assertEquals("PayloadException", failure.getType());
    assertTrue(failure.getNonRetryable());
  }

  @Test
  void stopsAHandlerBeforeItBeginsAndWhileItRuns() throws Exception {
    Rows rows = new Rows(List.of("a"));
    HandlerOutcome before =
        new HandlerTest()
            .runStopped(Rows.class, HandlerTestTest::importRows, rows, StopReason.CANCELLED);
    assertEquals("HandlerStoppedException", before.failure().orElseThrow().getType());
    assertFalse(Thread.currentThread().isInterrupted());

    CountDownLatch entered = new CountDownLatch(1);
    RunningHandler running =
        new HandlerTest()
            .start(
                Void.class,
                (ctx, nothing) -> {
                  entered.countDown();
                  try {
                    ctx.sleep(Duration.ofMinutes(10));
                    return null;
                  } catch (HandlerStoppedException stopped) {
                    return stopped.reason().toString() + Thread.currentThread().isInterrupted();
                  }
                },
                null);
    entered.await();
    running.stop(StopReason.RUN_TIMEOUT);
    assertEquals("run_timeoutfalse", running.await().result(String.class));
  }

  @Test
  void interruptsAHandlerThatWaitsForSomethingElse() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    RunningHandler running =
        new HandlerTest()
            .start(
                Void.class,
                (ctx, nothing) -> {
                  entered.countDown();
                  new CountDownLatch(1).await();
                  return null;
                },
                null);
    entered.await();
    running.stop(StopReason.CANCELLED);
    assertEquals("InterruptedException", running.await().failure().orElseThrow().getType());
  }

  @Test
  void runsHandlersThatHoldNoThread() {
    AtomicBoolean notified = new AtomicBoolean();
    RunningHandler running =
        new HandlerTest()
            .startAsync(
                Integer.class,
                (ctx, number) ->
                    ctx.whenStopped()
                        .thenApply(
                            reason -> {
                              notified.set(true);
                              return number + 1;
                            }),
                41);
    assertFalse(running.outcome().isDone());
    running.stop(StopReason.SHUTDOWN);
    assertEquals(42, running.await().result(Integer.class));
    assertTrue(notified.get());
    HandlerOutcome failed =
        new HandlerTest()
            .startAsync(
                Void.class,
                (ctx, nothing) -> CompletableFuture.failedFuture(new JobFailure("T", "m")),
                null)
            .await();
    assertEquals("T", failed.failure().orElseThrow().getType());
  }

  @Test
  void keepsLogsAndMoreTimeAndChecksThem() {
    HandlerOutcome outcome =
        new HandlerTest()
            .maxPayload(10)
            .trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=b")
            .run(
                Void.class,
                (ctx, nothing) -> {
                  ctx.log(LogLevel.DEBUG, "reading", Map.of("rows", 7));
                  ctx.log("done");
                  ctx.extendRunTimeout(Duration.ofSeconds(2));
                  ctx.extendRunTimeout(Duration.ofSeconds(3));
                  assertThrows(
                      IllegalArgumentException.class, () -> ctx.extendRunTimeout(Duration.ZERO));
                  assertThrows(
                      IllegalArgumentException.class,
                      () -> ctx.extendRunTimeout(Duration.ofDays(30)));
                  assertThrows(PayloadException.class, () -> ctx.checkpoint("more than ten bytes"));
                  return ctx.traceparent() + " " + ctx.tracestate();
                },
                null);
    assertEquals(
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 a=b",
        outcome.result(String.class));
    assertEquals("7", outcome.logs().get(0).getFieldsOrThrow("rows"));
    assertEquals(2, outcome.logs().get(1).getSequence());
    assertEquals(Duration.ofSeconds(5), outcome.runTimeoutExtension());
  }
}
