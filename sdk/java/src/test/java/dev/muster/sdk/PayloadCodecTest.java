package dev.muster.sdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.google.protobuf.ByteString;
import dev.muster.v1.Payload;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PayloadCodecTest {
  record Person(String name, int age) {}

  private final PayloadCodec codec = PayloadCodec.standard();

  @Test
  void writesAndReadsJson() {
    Payload payload = codec.encode(new Person("Ada", 36));
    assertEquals("application/json", payload.getContentType());
    assertEquals("{\"name\":\"Ada\",\"age\":36}", payload.getData().toStringUtf8());
    assertEquals(new Person("Ada", 36), codec.decode(payload, Person.class));
    assertEquals(
        List.of(1, 2),
        codec.decode(codec.encode(List.of(1, 2)), new TypeReference<List<Integer>>() {}));
  }

  @Test
  void passesOverWhatTheClassDoesNotHave() {
    Payload payload = codec.encode(Map.of("name", "Ada", "title", "Countess"));
    assertEquals(new Person("Ada", 0), codec.decode(payload, Person.class));
  }

  @Test
  void keepsBytesAndPayloads() {
    byte[] bytes = {0, -1, 7};
    Payload payload = codec.encode(bytes);
    assertEquals("application/octet-stream", payload.getContentType());
    assertArrayEquals(bytes, codec.decode(payload, byte[].class));
    assertEquals(ByteString.copyFrom(bytes), codec.decode(payload, ByteString.class));
    assertSame(payload, codec.encode(payload));
    assertSame(payload, codec.decode(payload, Payload.class));
  }

  @Test
  void nothingIsNull() {
    assertNull(codec.decode(null, Person.class));
    assertNull(codec.decode(Payload.getDefaultInstance(), Person.class));
    assertNull(codec.decode(codec.encode(null), Person.class));
    assertNull(codec.decode(codec.encode("text"), Void.class));
    assertEquals("null", codec.encode(null).getData().toStringUtf8());
  }

  @Test
  void takesEveryTypeOfJson() {
    Payload payload =
        PayloadCodec.payload(ByteString.copyFromUtf8("1"), "application/vnd.x+json; charset=utf-8");
    assertEquals(1, codec.decode(payload, Integer.class));
  }

  @Test
  void saysWhatDoesNotFit() {
    Payload binary = PayloadCodec.payload(ByteString.copyFromUtf8("x"), "image/png");
    PayloadException error =
        assertThrows(PayloadException.class, () -> codec.decode(binary, Person.class));
    assertTrue(error.getMessage().contains("image/png"), error.getMessage());
    Payload text = codec.encode("no person");
    assertThrows(PayloadException.class, () -> codec.decode(text, Person.class));
    assertThrows(PayloadException.class, () -> codec.encode(new Object()));
  }
}
