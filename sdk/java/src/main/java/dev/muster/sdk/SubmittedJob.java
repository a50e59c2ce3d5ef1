package dev.muster.sdk;

/**
 * An accepted job.
 *
 * @param jobId UUID of the job.
 * @param existing Whether the job existed before: the idempotency key or the request id was in use.
 */
public record SubmittedJob(String jobId, boolean existing) {}
