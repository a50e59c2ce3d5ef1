package dev.muster.sdk.internal.worker;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.muster.sdk.LogLevel;
import dev.muster.sdk.internal.Times;
import dev.muster.sdk.internal.core.Limits;
import dev.muster.v1.LogRecord;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.Map;

/** Makes log records, cut to the maximum size. */
final class LogRecords {
  private static final JsonMapper JSON = JsonMapper.builder().findAndAddModules().build();

  private LogRecords() {}

  static LogRecord of(
      long sequence, Instant time, LogLevel level, String text, Map<String, ?> facts) {
    String message = Texts.cut(text, Limits.MAX_LOG_LINE_BYTES);
    int space = Limits.MAX_LOG_LINE_BYTES - Texts.bytes(message);
    LogRecord.Builder written =
        LogRecord.newBuilder()
            .setSequence(sequence)
            .setLogTime(Times.timestampOf(time))
            .setLevel(wireLevel(level))
            .setMessage(message)
            .setTruncated(message.length() < text.length());
    for (Map.Entry<String, ?> fact : facts.entrySet()) {
      if (fact.getKey() == null || fact.getValue() == null) {
        continue;
      }
      String key = Texts.cut(fact.getKey(), Integer.MAX_VALUE / 4);
      String field = Texts.cut(fieldText(fact.getValue()), Integer.MAX_VALUE / 4);
      int bytes = Texts.bytes(key) + Texts.bytes(field);
      if (written.getFieldsCount() >= Limits.MAX_LOG_FIELDS || bytes > space) {
        written.setTruncated(true);
        continue;
      }
      space -= bytes;
      written.putFields(key, field);
    }
    return written.build();
  }

  static System.Logger.Level systemLevel(LogLevel level) {
    return switch (level) {
      case DEBUG -> System.Logger.Level.DEBUG;
      case INFO -> System.Logger.Level.INFO;
      case WARN -> System.Logger.Level.WARNING;
      case ERROR -> System.Logger.Level.ERROR;
    };
  }

  private static dev.muster.v1.LogLevel wireLevel(LogLevel level) {
    return dev.muster.v1.LogLevel.valueOf("LOG_LEVEL_" + level.name());
  }

  /** Never throws: a value that can't be encoded must not cost the handler its attempt. */
  private static String fieldText(Object value) {
    if (value instanceof CharSequence text) {
      return text.toString();
    }
    try {
      if (value instanceof Throwable thrown) {
        StringWriter text = new StringWriter();
        thrown.printStackTrace(new PrintWriter(text));
        return text.toString();
      }
      return JSON.writeValueAsString(value);
    } catch (Exception unwritable) {
      return "(not to be written)";
    }
  }
}
