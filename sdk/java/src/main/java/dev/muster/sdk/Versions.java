package dev.muster.sdk;

/**
 * The versions of a definition that a handler serves.
 *
 * @param min Lowest. 0: any.
 * @param max Highest. 0: any.
 */
public record Versions(int min, int max) {
  /** All versions. */
  public static final Versions ANY = new Versions(0, 0);
}
