package dev.muster.sdk.internal.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muster.sdk.MusterException;
import dev.muster.v1.LogRecord;
import dev.muster.v1.Payload;
import dev.muster.worker.v1.Assignment;
import dev.muster.worker.v1.AttemptReport;
import io.grpc.Status.Code;
import java.util.List;
import org.junit.jupiter.api.Test;

class PartsTest {
  private static final AttemptKey KEY = new AttemptKey(FakeWorld.jobId(1), 1);

  @Test
  void aDuplicateIsIgnoredWhateverElseIsTrueOfIt() {
    for (int bits = 0; bits < 128; bits++) {
      Acceptance facts =
          new Acceptance(
              true,
              bit(bits, 0),
              bit(bits, 1),
              bit(bits, 2),
              bit(bits, 3),
              bit(bits, 4),
              bit(bits, 5),
              bit(bits, 6),
              true);
      assertEquals(new Acceptance.Verdict.Ignore(), facts.judge());
    }
  }

  @Test
  void onlyWhatFitsInEveryWayIsAccepted() {
    int accepted = 0;
    for (int bits = 0; bits < 512; bits++) {
      Acceptance facts =
          new Acceptance(
              bit(bits, 0),
              bit(bits, 1),
              bit(bits, 2),
              bit(bits, 3),
              bit(bits, 4),
              bit(bits, 5),
              bit(bits, 6),
              bit(bits, 7),
              bit(bits, 8));
      if (facts.judge() instanceof Acceptance.Verdict.Accept) {
        accepted++;
        assertTrue(facts.supported() && facts.creditUnspent() && facts.slotFree());
      }
    }
    assertEquals(1, accepted);
  }

  private static boolean bit(int bits, int index) {
    return (bits >> index & 1) == 1;
  }

  @Test
  void theFenceCountsFromTheSendingAndNeverGoesBack() {
    Fence fence = new Fence(1_000, 15_000);
    assertFalse(fence.passed(13_999));
    assertTrue(fence.passed(14_000));
    fence.extend(5_000);
    fence.extend(2_000);
    assertEquals(18_000, fence.at());
    assertEquals(1_300, new Fence(0, 1_500).at(), "a short lease keeps 2/15 of itself");
  }

  @Test
  void aCreditLivesOnForItsMemoryAndEndsWithItsTime() {
    Credits credits = new Credits();
    long id = credits.grant(1, 1, 0).getCreditId();
    LiveCredit credit = credits.live(id, 14_999);
    credits.spend(credit, KEY, false);
    credits.spend(credit, new AttemptKey(FakeWorld.jobId(2), 1), false);
    assertEquals(0, credits.slots());
    assertEquals(1, credits.prefetch());
    assertTrue(credit.hasSeen(KEY));
    assertEquals(List.of(id), credits.voidAll());
    assertTrue(credits.voidAll().isEmpty());
    assertNotNull(credits.live(id, 14_999));
    assertNull(credits.live(id, 15_000));
    credits.expire(15_000);
    assertFalse(credits.remembers(id));
  }

  @Test
  void spentCreditsAreRememberedInBounds() {
    Credits credits = new Credits();
    for (int i = 0; i < Limits.MAX_SPENT_CREDITS + 5; i++) {
      credits.voidOne(credits.grant(1, 0, 0).getCreditId());
    }
    assertFalse(credits.remembers(5));
    assertTrue(credits.remembers(6));
  }

  @Test
  void cancelsAreForgottenInTimeAndInBounds() {
    Cancels cancels = new Cancels();
    cancels.remember(KEY, 0);
    assertTrue(cancels.has(KEY, 14_999));
    assertFalse(cancels.has(KEY, 15_000));
    for (int i = 0; i < Limits.MAX_CANCELS + 10; i++) {
      cancels.remember(new AttemptKey(FakeWorld.jobId(3), i), 1);
    }
    assertEquals(Limits.MAX_CANCELS, cancels.size());
  }

  @Test
  void theRateForgetsWhatIsOlderThanItsWindow() {
    CompletionRate rate = new CompletionRate();
    rate.add(-1_000, 1);
    rate.add(1_000, 3);
    rate.add(1_100, 4);
    assertEquals(7, rate.recent(1_190));
    assertEquals(4, rate.recent(1_210));
    assertEquals(0, rate.recent(9_000));
  }

  @Test
  void waitsDoubleUpToTwoSecondsAndKeepToWhatTheServerAsks() {
    MusterException failure = MusterException.of(Code.UNAVAILABLE, "no");
    assertEquals(50, Backoff.after(1, failure, Limits.MAX_BACKOFF, 0));
    assertEquals(100, Backoff.after(2, failure, Limits.MAX_BACKOFF, 0));
    assertEquals(2_000, Backoff.after(60, failure, Limits.MAX_BACKOFF, 1));
  }

  @Test
  void batchesAreBoundInNumberAndBytesAndComeAgainAsTheyWere() {
    ReportBatches batches = new ReportBatches();
    for (int i = 0; i < Limits.MAX_REPORTS + 1; i++) {
      batches.add(report(0));
    }
    List<PendingReport> first = batches.take();
    assertEquals(Limits.MAX_REPORTS, first.size());
    batches.putBack(first);
    batches.add(report(2 * 1024 * 1024));
    batches.add(report(2 * 1024 * 1024));
    assertEquals(first, batches.take());
    assertEquals(2, batches.take().size());
    assertEquals(1, batches.take().size());
    assertEquals(0, batches.size());
    assertEquals(0, batches.bytes());
  }

  private static PendingReport report(int size) {
    Held held = new Held(KEY, Assignment.getDefaultInstance());
    byte[] data = new byte[size];
    Payload payload =
        Payload.newBuilder().setData(com.google.protobuf.ByteString.copyFrom(data)).build();
    return new PendingReport(held, AttemptReport.newBuilder().setResult(payload).build());
  }

  @Test
  void aFloodOfRecordsDropsTheOldest() {
    LogTail tail = new LogTail();
    String line = "x".repeat(8_000);
    for (int i = 1; i <= 20; i++) {
      tail.add(LogRecord.newBuilder().setSequence(i).setMessage(line).build());
    }
    assertTrue(tail.bytes() <= Limits.MAX_LOG_BYTES);
    assertEquals(20, tail.lastSequence());
    assertEquals(13, tail.records().get(0).getSequence());
    tail.confirm(19);
    assertEquals(1, tail.records().size());
    tail.take();
    assertEquals(0, tail.bytes());
  }

  @Test
  void slotsHaveBounds() {
    assertThrows(IllegalArgumentException.class, () -> new Slots(0));
    assertThrows(IllegalArgumentException.class, () -> new Slots(10_001));
  }
}
