package dev.muster.sdk;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.protobuf.ByteString;
import dev.muster.v1.Payload;
import java.io.IOException;
import java.util.Locale;

/**
 * Converts values to and from {@link Payload}: JSON by Jackson, bytes unchanged.
 *
 * <p>When reading, {@code byte[]} and {@link ByteString} return the bytes of any payload, {@link
 * Payload} the payload itself, {@code Void} null, and every other type is read from JSON.
 */
public final class PayloadCodec {
  /** Content type of JSON. */
  public static final String JSON_TYPE = "application/json";

  /** Content type of bytes. */
  public static final String BYTES_TYPE = "application/octet-stream";

  private static final Payload NULL = payload(ByteString.copyFromUtf8("null"), JSON_TYPE);
  private static final PayloadCodec DEFAULT =
      new PayloadCodec(
          JsonMapper.builder()
              .findAndAddModules()
              .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
              .build());

  private final ObjectMapper mapper;

  private PayloadCodec(ObjectMapper mapper) {
    this.mapper = mapper;
  }

  /**
   * The default codec. Its mapper has the modules of the class path and ignores properties that a
   * class does not have.
   */
  public static PayloadCodec standard() {
    return DEFAULT;
  }

  /** A codec with a given JSON mapper. */
  public static PayloadCodec of(ObjectMapper mapper) {
    return new PayloadCodec(mapper);
  }

  /**
   * A payload with a given content type.
   *
   * @param data The bytes, at most 512 KiB.
   * @param contentType Media type, at most 128 characters.
   */
  public static Payload payload(ByteString data, String contentType) {
    return Payload.newBuilder().setData(data).setContentType(contentType).build();
  }

  /**
   * Encodes a value: {@code byte[]} and {@link ByteString} as application/octet-stream, a {@link
   * Payload} unchanged, null and everything else as JSON.
   *
   * @throws PayloadException when it can't be written as JSON.
   */
  public Payload encode(Object value) {
    if (value == null) {
      return NULL;
    }
    if (value instanceof Payload payload) {
      return payload;
    }
    if (value instanceof byte[] bytes) {
      return payload(ByteString.copyFrom(bytes), BYTES_TYPE);
    }
    if (value instanceof ByteString bytes) {
      return payload(bytes, BYTES_TYPE);
    }
    try {
      return payload(ByteString.copyFrom(mapper.writeValueAsBytes(value)), JSON_TYPE);
    } catch (JsonProcessingException error) {
      throw new PayloadException(
          "a " + value.getClass().getName() + " can't be written as JSON: " + error.getMessage(),
          error);
    }
  }

  /**
   * Reads a payload as a class. A missing payload, an empty one without a content type, and JSON's
   * null become null.
   *
   * @throws PayloadException when it is not JSON, or does not fit the class.
   */
  public <T> T decode(Payload payload, Class<T> type) {
    return type.cast(decode(payload, mapper.constructType(type)));
  }

  /**
   * Reads a payload as a type with parameters.
   *
   * @throws PayloadException when it is not JSON, or does not fit the type.
   */
  @SuppressWarnings("unchecked")
  public <T> T decode(Payload payload, TypeReference<T> type) {
    return (T) decode(payload, mapper.constructType(type));
  }

  private Object decode(Payload payload, JavaType type) {
    if (type.hasRawClass(Payload.class)) {
      return payload;
    }
    if (payload == null || type.hasRawClass(Void.class) || isEmpty(payload)) {
      return null;
    }
    if (type.hasRawClass(byte[].class)) {
      return payload.getData().toByteArray();
    }
    if (type.hasRawClass(ByteString.class)) {
      return payload.getData();
    }
    if (!isJson(payload.getContentType())) {
      throw new PayloadException(
          "a payload of the type \""
              + payload.getContentType()
              + "\" is not JSON, and can't be read as "
              + type.toCanonical());
    }
    try {
      return mapper.readValue(payload.getData().toByteArray(), type);
    } catch (IOException error) {
      throw new PayloadException(
          "the payload can't be read as " + type.toCanonical() + ": " + error.getMessage(), error);
    }
  }

  private static boolean isEmpty(Payload payload) {
    return payload.getData().isEmpty() && payload.getContentType().isEmpty();
  }

  private static boolean isJson(String contentType) {
    String type = contentType.split(";", 2)[0].trim().toLowerCase(Locale.ROOT);
    return type.equals(JSON_TYPE) || type.endsWith("+json");
  }
}
