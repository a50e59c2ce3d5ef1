package dev.muster.sdk.internal.worker;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Ids of the control plane's spans, which are derived from job and attempt. */
final class AttemptSpanId {
  private static final byte[] PHASE = "attempt".getBytes(StandardCharsets.US_ASCII);
  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  private AttemptSpanId() {}

  /**
   * The id of the control plane's span of an attempt: 64-bit FNV-1a of the job's id, the attempt's
   * number as 4 big-endian bytes, and the word "attempt".
   */
  static String of(ByteString jobId, int attempt) {
    byte[] bytes =
        ByteBuffer.allocate(jobId.size() + Integer.BYTES + PHASE.length)
            .put(jobId.toByteArray())
            .putInt(attempt)
            .put(PHASE)
            .array();
    long hash = FNV_OFFSET;
    for (byte one : bytes) {
      hash = (hash ^ (one & 0xff)) * FNV_PRIME;
    }
    return String.format("%016x", hash);
  }
}
