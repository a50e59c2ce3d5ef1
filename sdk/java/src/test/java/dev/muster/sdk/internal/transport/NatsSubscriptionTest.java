package dev.muster.sdk.internal.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muster.sdk.internal.core.CorePorts.BusConnection;
import dev.muster.sdk.internal.core.CorePorts.BusOptions;
import dev.muster.worker.v1.NatsCredentials;
import dev.muster.worker.v1.SessionMessage;
import java.util.List;
import java.util.ResourceBundle;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class NatsSubscriptionTest {
  private static final long PATIENCE_SECONDS = 30;

  /** Throws on each record. */
  private static final class BrokenLogger implements System.Logger {
    @Override
    public String getName() {
      return "broken";
    }

    @Override
    public boolean isLoggable(Level level) {
      return true;
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String text, Throwable thrown) {
      throw new IllegalStateException("no disk");
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String format, Object... parameters) {
      throw new IllegalStateException("no disk");
    }
  }

  @Test
  void noExceptionLeavesTheSessionDeaf() throws Exception {
    receivesInSpiteOfFailures(System.getLogger("test"));
  }

  @Test
  void noLoggerLeavesTheSessionDeaf() throws Exception {
    receivesInSpiteOfFailures(new BrokenLogger());
  }

  private static void receivesInSpiteOfFailures(System.Logger logger) throws Exception {
    AtomicInteger tries = new AtomicInteger();
    Supplier<NatsCredentials> credentials =
        () -> {
          int number = tries.getAndIncrement();
          if (number == 0) {
            throw new IllegalArgumentException("no seed");
          }
          if (number == 1) {
            throw new OutOfMemoryError("no thread");
          }
          return NatsCredentials.getDefaultInstance();
        };
    BlockingQueue<Object> received = new LinkedBlockingQueue<>();
    try (FakeBus bus = new FakeBus()) {
      BusConnection connection =
          new NatsBus(Runnable::run, logger)
              .connect(
                  new BusOptions(
                      () -> List.of(bus.url()),
                      "session",
                      credentials,
                      received::add,
                      received::add));
      assertEquals(false, received.poll(PATIENCE_SECONDS, TimeUnit.SECONDS));
      assertEquals(false, received.poll(PATIENCE_SECONDS, TimeUnit.SECONDS));
      assertEquals(true, received.poll(PATIENCE_SECONDS, TimeUnit.SECONDS));
      SessionMessage message = SessionMessage.newBuilder().setPing(1).build();
      bus.send(message);
      assertEquals(message, received.poll(PATIENCE_SECONDS, TimeUnit.SECONDS));
      connection.close();
      bus.left().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }
  }
}
