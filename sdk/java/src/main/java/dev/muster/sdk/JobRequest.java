package dev.muster.sdk;

import java.util.Objects;

/**
 * One job of {@link Client#submitMany}.
 *
 * @param definition Name of the definition.
 * @param input As {@link PayloadCodec#encode} takes it; null: none.
 * @param options How it is to be run.
 */
public record JobRequest(String definition, Object input, SubmitOptions options) {
  /** Checks that nothing is missing. */
  public JobRequest {
    Objects.requireNonNull(definition, "definition");
    Objects.requireNonNull(options, "options");
  }

  /** A job that is run as its definition says. */
  public JobRequest(String definition, Object input) {
    this(definition, input, SubmitOptions.NONE);
  }
}
