package dev.muster.sdk.internal.core;

import com.google.protobuf.ByteString;

/** What every table of the core is keyed by. */
record AttemptKey(ByteString jobId, int attempt) {}
