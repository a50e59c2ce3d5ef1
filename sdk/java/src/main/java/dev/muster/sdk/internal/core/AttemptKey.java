package dev.muster.sdk.internal.core;

import com.google.protobuf.ByteString;

/** Identifies an attempt; the tables of the core use it as key. */
record AttemptKey(ByteString jobId, int attempt) {}
