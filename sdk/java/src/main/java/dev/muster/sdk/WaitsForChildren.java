package dev.muster.sdk;

import java.util.List;

/**
 * Thrown by {@link JobContext#results} and {@link JobContext#ended} while children are open: it
 * ends this run of the handler, and the job goes on once they have ended, with the handler run
 * again from its start. A handler must let it pass; it is no {@code Exception}, so that catching
 * those does.
 */
public final class WaitsForChildren extends Error {
  private static final long serialVersionUID = 1L;

  /** Those that one report may wait for. */
  private static final int MOST_AWAITED = 1_000;

  private final transient List<String> childIds;

  /** Names the children; of more than 1,000 the first ones. */
  public WaitsForChildren(List<String> childIds) {
    super(
        "the handler waits for children of its job; it has to let this error pass, and runs again"
            + " once they have ended",
        null,
        false,
        false);
    this.childIds = List.copyOf(childIds.subList(0, Math.min(MOST_AWAITED, childIds.size())));
  }

  /** UUIDs of the children. */
  public List<String> childIds() {
    return childIds;
  }
}
