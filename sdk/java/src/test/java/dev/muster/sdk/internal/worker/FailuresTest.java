package dev.muster.sdk.internal.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.muster.sdk.JobFailure;
import dev.muster.sdk.LogLevel;
import dev.muster.sdk.PayloadCodec;
import dev.muster.v1.Failure;
import dev.muster.v1.FailureCause;
import dev.muster.v1.LogRecord;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class FailuresTest {
  private static Failure of(Throwable thrown) {
    return Failures.of(thrown, PayloadCodec.standard());
  }

  @Test
  void namesTheClassAndKeepsTheChain() {
    Failure failure = of(new IllegalStateException("top", new java.io.IOException("below")));
    assertEquals("IllegalStateException", failure.getType());
    assertEquals("top", failure.getMessage());
    assertTrue(failure.getStackTrace().contains("FailuresTest.namesTheClass"));
    assertEquals(FailureCause.FAILURE_CAUSE_APPLICATION, failure.getFailureCause());
    assertEquals("IOException", failure.getCause().getType());
    assertFalse(failure.getNonRetryable());
  }

  @Test
  void anAnonymousClassIsKnownByTheOneItExtends() {
    assertEquals("IllegalStateException", of(new IllegalStateException("x") {}).getType());
  }

  @Test
  void saysWhatAJobFailureSays() {
    Failure failure =
        of(
            new CompletionException(
                new JobFailure("Quota", "none left")
                    .nonRetryable()
                    .infrastructure()
                    .retryAfter(Duration.ofMillis(1_500))
                    .exitCode(3)
                    .details(Map.of("left", 0))));
    assertEquals("Quota", failure.getType());
    assertTrue(failure.getNonRetryable());
    assertEquals(FailureCause.FAILURE_CAUSE_INFRASTRUCTURE, failure.getFailureCause());
    assertEquals(1, failure.getRetryDelay().getSeconds());
    assertEquals(500_000_000, failure.getRetryDelay().getNanos());
    assertEquals(3, failure.getExitCode());
    assertEquals("{\"left\":0}", failure.getDetails().getData().toStringUtf8());
  }

  @Test
  void cutsWhatIsTooLong() {
    Failure failure = of(new JobFailure("t".repeat(300), "ü".repeat(8_000)));
    assertEquals(256, failure.getType().length());
    assertEquals(4_096, failure.getMessage().length());
    Throwable deep = new RuntimeException("0");
    for (int i = 1; i < 40; i++) {
      deep = new RuntimeException("" + i, deep);
    }
    int levels = 1;
    for (Failure one = of(deep); one.hasCause(); one = one.getCause()) {
      levels++;
    }
    assertEquals(16, levels);
  }

  @Test
  void anErrorThatCanNotBeWrittenIsOneAllTheSame() {
    Failure failure =
        of(
            new RuntimeException() {
              @Override
              public String getMessage() {
                throw new IllegalStateException();
              }
            });
    assertEquals("RuntimeException", failure.getType());
    assertEquals(
        FailureCause.FAILURE_CAUSE_INFRASTRUCTURE, of(new OutOfMemoryError()).getFailureCause());
  }

  @Test
  void cutsWholeCharacters() {
    assertEquals("a😀", Texts.cut("a😀😀", 8));
    assertEquals("?", Texts.cut("\ud83d", 100));
  }

  @Test
  void cutsRecordsToSize() {
    Map<String, Object> facts = new HashMap<>();
    facts.put("nothing", null);
    facts.put("list", java.util.List.of(1, "a"));
    facts.put("odd", new Object());
    LogRecord small = LogRecords.of(1, Instant.ofEpochMilli(1_500), LogLevel.WARN, "m", facts);
    assertEquals("[1,\"a\"]", small.getFieldsOrThrow("list"));
    assertEquals("(not to be written)", small.getFieldsOrThrow("odd"));
    assertEquals(2, small.getFieldsCount());
    assertEquals(dev.muster.v1.LogLevel.LOG_LEVEL_WARN, small.getLevel());
    assertEquals(500_000_000, small.getLogTime().getNanos());
    assertFalse(small.getTruncated());
    LogRecord large =
        LogRecords.of(
            2, Instant.now(), LogLevel.INFO, "x".repeat(8_190), Map.of("key", "too much"));
    assertEquals(0, large.getFieldsCount());
    assertTrue(large.getTruncated());
    assertTrue(
        LogRecords.of(3, Instant.now(), LogLevel.INFO, "x".repeat(9_000), Map.of()).getTruncated());
  }

  @Test
  void knowsTheIdOfTheControlPlanesSpan() {
    // The same value as in the SDKs of other languages.
    assertEquals("1046f85c386b805f", AttemptSpanId.of(ByteString.copyFrom(new byte[16]), 1));
  }

  @Test
  void theVersionIsThatOfThePackage() throws Exception {
    assertTrue(
        Files.readString(Path.of("pom.xml"))
            .contains("<version>" + SdkVersion.VERSION + "</version>"));
  }
}
