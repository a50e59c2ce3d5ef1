package dev.muster.sdk.internal.worker;

import dev.muster.v1.Sdk;

/** What this SDK calls itself. A test compares the version with the package's. */
public final class SdkVersion {
  /** The SDK's name. */
  public static final String NAME = "muster-java";

  /** The SDK's version. */
  public static final String VERSION = "0.1.0";

  /** The protocol that it speaks with the control plane. */
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
