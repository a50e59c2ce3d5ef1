package dev.muster.sdk.internal.transport;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.muster.sdk.internal.core.CorePorts.BusConnection;
import dev.muster.sdk.internal.core.CorePorts.BusOptions;
import dev.muster.worker.v1.NatsCredentials;
import dev.muster.worker.v1.SessionMessage;
import io.nats.client.AuthHandler;
import io.nats.client.Connection;
import io.nats.client.ConnectionListener;
import io.nats.client.ErrorListener;
import io.nats.client.Message;
import io.nats.client.NKey;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;

/**
 * A session's subscription. It makes a new connection with the newest credentials each time, until
 * it is closed: the library's own reconnects stop when credentials are refused, and a subscription
 * that was refused stays dead on its connection.
 */
final class NatsSubscription implements BusConnection {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration FLUSH_TIMEOUT = Duration.ofSeconds(5);
  private static final long RECONNECT_WAIT_MS = 200;

  /** A dead connection is detected within three intervals. */
  private static final Duration PING_INTERVAL = Duration.ofSeconds(10);

  private final BusOptions options;
  private final Executor coreThread;
  private final System.Logger logger;

  /** Released when the current connection must end, or has ended. */
  private volatile CountDownLatch ended = new CountDownLatch(1);

  private volatile boolean closed;

  NatsSubscription(BusOptions options, Executor coreThread, System.Logger logger) {
    this.options = options;
    this.coreThread = coreThread;
    this.logger = logger;
  }

  @Override
  public void reconnect() {
    ended.countDown();
  }

  @Override
  public void close() {
    closed = true;
    ended.countDown();
  }

  void keepConnected() {
    try {
      while (!closed) {
        connectOnce();
        report(false);
        Thread.sleep(RECONNECT_WAIT_MS + ThreadLocalRandom.current().nextLong(RECONNECT_WAIT_MS));
      }
    } catch (InterruptedException end) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns when the connection has ended. */
  private void connectOnce() throws InterruptedException {
    CountDownLatch end = new CountDownLatch(1);
    ended = end;
    if (closed) {
      return;
    }
    try (Connection connection = Nats.connect(natsOptions(end))) {
      connection.createDispatcher(this::receive).subscribe(options.subject());
      // The server has answered after the subscription: unless the server refused it, it is active.
      connection.flush(FLUSH_TIMEOUT);
      report(true);
      end.await();
    } catch (IOException | TimeoutException | RuntimeException | OutOfMemoryError error) {
      // Without this thread the session would never receive anything again, so any error only ends
      // this try.
      warn("the bus can not be reached yet: {0}", error);
    }
  }

  private Options natsOptions(CountDownLatch end) {
    Options.Builder builder =
        Options.builder()
            .servers(options.urls().get().toArray(String[]::new))
            .connectionName("muster worker")
            .connectionTimeout(CONNECT_TIMEOUT)
            .pingInterval(PING_INTERVAL)
            .maxPingsOut(2)
            .noReconnect()
            .errorListener(new Complaints(end))
            .connectionListener(
                (connection, event) -> {
                  if (event == ConnectionListener.Events.DISCONNECTED
                      || event == ConnectionListener.Events.CLOSED) {
                    end.countDown();
                  }
                });
    NatsCredentials credentials = options.credentials().get();
    if (!credentials.getJwt().isEmpty()) {
      builder.authHandler(new Credentials(credentials));
    }
    return builder.build();
  }

  private void receive(Message message) {
    try {
      SessionMessage decoded = SessionMessage.parseFrom(message.getData());
      passOn(() -> options.onMessage().accept(decoded));
    } catch (InvalidProtocolBufferException broken) {
      warn("a message could not be read: {0}", broken);
    }
  }

  private void report(boolean connected) {
    passOn(() -> options.onStatus().accept(connected));
  }

  private void passOn(Runnable call) {
    if (closed) {
      return;
    }
    try {
      coreThread.execute(call);
    } catch (RejectedExecutionException over) {
      closed = true;
    }
  }

  private void warn(String message, Object fact) {
    if (closed) {
      return;
    }
    try {
      logger.log(System.Logger.Level.WARNING, message, fact);
    } catch (RuntimeException | Error mute) {
      // The logger is the user's: if it fails, the subscription must continue.
    }
  }

  private final class Complaints implements ErrorListener {
    private final CountDownLatch end;

    Complaints(CountDownLatch end) {
      this.end = end;
    }

    @Override
    public void errorOccurred(Connection connection, String error) {
      warn("the bus reported an error: {0}", error);
      if (error.toLowerCase(Locale.ROOT).contains("permissions violation")) {
        end.countDown();
      }
    }

    @Override
    public void exceptionOccurred(Connection connection, Exception error) {
      warn("the bus reported an error: {0}", error);
    }
  }

  private record Credentials(NatsCredentials credentials) implements AuthHandler {
    @Override
    public byte[] sign(byte[] nonce) {
      try {
        NKey key = NKey.fromSeed(credentials.getSeed().toCharArray());
        try {
          return key.sign(nonce);
        } finally {
          key.clear();
        }
      } catch (GeneralSecurityException | IOException error) {
        throw new IllegalStateException("the nonce of the bus could not be signed", error);
      }
    }

    @Override
    public char[] getID() {
      return null;
    }

    @Override
    public char[] getJWT() {
      return credentials.getJwt().toCharArray();
    }
  }
}
