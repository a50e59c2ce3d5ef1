package dev.muster.sdk;

import java.util.List;

/**
 * Thrown by {@link JobContext#results} and {@link JobContext#ended} while children are open. It
 * ends this run of the handler; when the children have ended, the handler runs again from its
 * start. A handler must not catch it. It is an {@code Error}, so that handlers that catch {@code
 * Exception} let it pass.
 */
public final class WaitsForChildren extends Error {
  private static final long serialVersionUID = 1L;

  /** Maximum number of children that one report can wait for. */
  private static final int MAX_AWAITED = 1_000;

  private final transient List<String> childIds;

  /** Creates the error for children; of more than 1,000 only the first are kept. */
  public WaitsForChildren(List<String> childIds) {
    super(
        "the handler waits for children of its job; it has to let this error pass, and runs again"
            + " once they have ended",
        null,
        false,
        false);
    this.childIds = List.copyOf(childIds.subList(0, Math.min(MAX_AWAITED, childIds.size())));
  }

  /** UUIDs of the children. */
  public List<String> childIds() {
    return childIds;
  }
}
