package dev.muster.sdk;

/**
 * The counters of a worker. They only increase.
 *
 * @param sessions Opened sessions.
 * @param sessionsLost Sessions that the server closed.
 * @param accepted Accepted attempts.
 * @param duplicates Assignments ignored because the attempt was known.
 * @param ignored Assignments ignored because the lease could not be proved, or the held list was
 *     full.
 * @param released Attempts given back before their handler was entered.
 * @param aborted Handlers stopped because the lease could not be proved.
 * @param fences How often the lease could no longer be proved.
 * @param timeouts Handlers stopped by their run timeout.
 * @param cancels Cancels received for running handlers.
 * @param acknowledged Acknowledged reports.
 */
public record WorkerStats(
    long sessions,
    long sessionsLost,
    long accepted,
    long duplicates,
    long ignored,
    long released,
    long aborted,
    long fences,
    long timeouts,
    long cancels,
    long acknowledged) {}
