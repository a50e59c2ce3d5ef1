package dev.muster.sdk.internal.core;

import com.google.protobuf.ByteString;
import dev.muster.sdk.MusterException;

/** What happened to the worker's session. */
public sealed interface CoreEvent {
  /** A session is open. */
  record Opened(ByteString sessionId, int maxPayload) implements CoreEvent {}

  /** The session heard the bus and has granted credits. */
  record Ready() implements CoreEvent {}

  /** The lease can't be proved any more: nothing is accepted until a heartbeat is answered. */
  record Fenced() implements CoreEvent {}

  /** The lease is proved again. */
  record Recovered() implements CoreEvent {}

  /** The server has closed the session; a new one is being opened. */
  record Lost() implements CoreEvent {}

  /** Nothing more is taken. */
  record Draining() implements CoreEvent {}

  /** The worker is at its end. */
  record Closed() implements CoreEvent {}

  /** The server refuses the worker for good. */
  record Failed(MusterException error) implements CoreEvent {}
}
