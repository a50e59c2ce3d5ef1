package dev.muster.sdk;

/**
 * A field that the server rejected.
 *
 * @param field The path to it, such as {@code job.labels["team"]}.
 * @param description Why it is invalid.
 */
public record FieldViolation(String field, String description) {}
