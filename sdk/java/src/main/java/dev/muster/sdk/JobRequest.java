package dev.muster.sdk;

import java.util.Objects;

/**
 * One job of {@link Client#submitMany}.
 *
 * @param definition Name of the definition.
 * @param input A value that {@link PayloadCodec#encode} accepts; null: none.
 * @param options Options of the job.
 */
public record JobRequest(String definition, Object input, SubmitOptions options) {
  /** Rejects null for the definition and the options. */
  public JobRequest {
    Objects.requireNonNull(definition, "definition");
    Objects.requireNonNull(options, "options");
  }

  /** A job that runs as its definition says. */
  public JobRequest(String definition, Object input) {
    this(definition, input, SubmitOptions.NONE);
  }
}
