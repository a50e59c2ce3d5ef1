package dev.muster.sdk.internal.worker;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;

/** Text, cut to size. */
final class Texts {
  private static final int MOST_BYTES_OF_A_CHAR = 3;

  private Texts() {}

  /**
   * As much of the text as fits into {@code maxBytes} of UTF-8, whole characters only. What is no
   * character becomes a question mark, as it would on the way.
   */
  static String cut(String text, int maxBytes) {
    if (text.length() * (long) MOST_BYTES_OF_A_CHAR <= maxBytes) {
      return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }
    ByteBuffer bytes = ByteBuffer.allocate(maxBytes);
    StandardCharsets.UTF_8
        .newEncoder()
        .onMalformedInput(java.nio.charset.CodingErrorAction.REPLACE)
        .onUnmappableCharacter(java.nio.charset.CodingErrorAction.REPLACE)
        .encode(CharBuffer.wrap(text), bytes, true);
    return StandardCharsets.UTF_8.decode(bytes.flip()).toString();
  }

  /** Bytes of the text in UTF-8. */
  static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
