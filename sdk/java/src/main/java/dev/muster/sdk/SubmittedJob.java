package dev.muster.sdk;

/**
 * A job as it was accepted.
 *
 * @param jobId UUID of the job.
 * @param existing Whether it was there already: the idempotency key or the request id was in use.
 */
public record SubmittedJob(String jobId, boolean existing) {}
