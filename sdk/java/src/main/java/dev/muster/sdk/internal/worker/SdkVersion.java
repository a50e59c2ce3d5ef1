package dev.muster.sdk.internal.worker;

import dev.muster.v1.Sdk;

/** Name and version of this SDK. A test compares the version with the package's. */
public final class SdkVersion {
  /** The SDK's name. */
  public static final String NAME = "muster-java";

  /** The SDK's version. */
  public static final String VERSION = "0.1.0";

  /** Version of the worker protocol. */
  public static final int PROTOCOL_VERSION = 1;

  private SdkVersion() {}

  public static Sdk message() {
    return Sdk.newBuilder()
        .setName(NAME)
        .setVersion(VERSION)
        .setLanguage("java " + Runtime.version())
        .build();
  }
}
