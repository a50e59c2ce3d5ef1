package dev.muster.sdk.internal.core;

import com.google.protobuf.ByteString;
import dev.muster.sdk.MusterException;

/** An event of the worker's session. */
public sealed interface CoreEvent {
  /** A session was opened. */
  record Opened(ByteString sessionId, int maxPayload) implements CoreEvent {}

  /** The session receives messages of the bus and has granted credits. */
  record Ready() implements CoreEvent {}

  /** The lease can't be proved any more: nothing is accepted until a heartbeat is answered. */
  record Fenced() implements CoreEvent {}

  /** The lease is proved again. */
  record Recovered() implements CoreEvent {}

  /** The server has closed the session; a new one is being opened. */
  record Lost() implements CoreEvent {}

  /** The worker accepts no more attempts. */
  record Draining() implements CoreEvent {}

  /** The worker has ended. */
  record Closed() implements CoreEvent {}

  /** The server permanently refuses the worker. */
  record Failed(MusterException error) implements CoreEvent {}
}
