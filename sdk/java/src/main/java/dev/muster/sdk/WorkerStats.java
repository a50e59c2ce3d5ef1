package dev.muster.sdk;

/**
 * Counts of what happened in a worker, for metrics and people who wonder. They only rise.
 *
 * @param sessions Sessions opened.
 * @param sessionsLost Sessions that the server had closed.
 * @param accepted Attempts accepted.
 * @param duplicates Assignments ignored because the attempt was known.
 * @param ignored Assignments ignored because the lease could not be proved, or the held list was
 *     full.
 * @param released Attempts given back before their handler was entered.
 * @param aborted Handlers stopped because the lease could not be proved.
 * @param fences Times that the fence fell.
 * @param timeouts Handlers stopped by their run timeout.
 * @param cancels Cancels received for running handlers.
 * @param acknowledged Reports that the server has acknowledged.
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
