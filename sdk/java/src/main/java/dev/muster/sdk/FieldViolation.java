package dev.muster.sdk;

/**
 * A field that the server refused.
 *
 * @param field The path to it, such as {@code job.labels["team"]}.
 * @param description What is wrong with it.
 */
public record FieldViolation(String field, String description) {}
