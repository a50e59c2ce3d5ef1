package dev.muster.sdk.internal;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.UUID;

/** UUIDs as 16 bytes and as text. */
public final class Uuids {
  private static final int BYTES = 16;

  private Uuids() {}

  public static String text(ByteString bytes) {
    ByteBuffer buffer = bytes.asReadOnlyByteBuffer();
    return new UUID(buffer.getLong(), buffer.getLong()).toString();
  }

  public static ByteString bytes(String text) {
    UUID uuid = UUID.fromString(text);
    ByteBuffer buffer = ByteBuffer.allocate(BYTES);
    buffer.putLong(uuid.getMostSignificantBits()).putLong(uuid.getLeastSignificantBits()).flip();
    return ByteString.copyFrom(buffer);
  }
}
