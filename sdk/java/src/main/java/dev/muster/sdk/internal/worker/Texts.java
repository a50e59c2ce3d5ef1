package dev.muster.sdk.internal.worker;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;

/** Helpers for text of limited size. */
final class Texts {
  private static final int MAX_BYTES_PER_CHAR = 3;

  private Texts() {}

  /**
   * The longest prefix of whole characters that has at most {@code maxBytes} in UTF-8. An unpaired
   * surrogate becomes a question mark, as in UTF-8 encoding.
   */
  static String cut(String text, int maxBytes) {
    if (text.length() * (long) MAX_BYTES_PER_CHAR <= maxBytes) {
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

  /** Size of the text in UTF-8. */
  static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
