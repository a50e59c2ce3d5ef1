package dev.muster.sdk.internal.transport;

import com.google.protobuf.MessageLite;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;

/** A minimal NATS server for one subscription. */
public final class FakeBus implements AutoCloseable {
  private record Subscription(String subject, String id, OutputStream out) {}

  private final ServerSocket server;
  private final CompletableFuture<Subscription> subscribed = new CompletableFuture<>();
  private final CompletableFuture<Void> left = new CompletableFuture<>();

  public FakeBus() {
    try {
      server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    Thread thread = new Thread(this::serve, "fake-bus");
    thread.setDaemon(true);
    thread.start();
  }

  public String url() {
    return "nats://127.0.0.1:" + server.getLocalPort();
  }

  /** Sends to the subscription, once there is one. */
  public void send(MessageLite message) throws IOException {
    Subscription to = subscribed.join();
    byte[] data = message.toByteArray();
    write(to.out(), "MSG " + to.subject() + " " + to.id() + " " + data.length, data);
  }

  /** Completes when the client has closed its connection. */
  public CompletableFuture<Void> left() {
    return left;
  }

  private void serve() {
    try (Socket client = server.accept()) {
      OutputStream out = client.getOutputStream();
      write(
          out,
          "INFO {\"server_id\":\"fake\",\"version\":\"2.10.0\",\"max_payload\":1048576,"
              + "\"headers\":true}");
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        String[] words = line.split(" ");
        if (words[0].equals("PING")) {
          write(out, "PONG");
        } else if (words[0].equals("SUB")) {
          subscribed.complete(new Subscription(words[1], words[words.length - 1], out));
        }
      }
    } catch (IOException over) {
      // The client has disconnected, or the test is over.
    }
    left.complete(null);
  }

  private static synchronized void write(OutputStream out, String line, byte[]... data)
      throws IOException {
    out.write((line + "\r\n").getBytes(StandardCharsets.UTF_8));
    for (byte[] bytes : data) {
      out.write(bytes);
      out.write("\r\n".getBytes(StandardCharsets.UTF_8));
    }
    out.flush();
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
