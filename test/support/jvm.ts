/** How a JVM of the tests starts: each lives shortly, so it shall neither compile much nor collect with many threads. */
export const shortLivedJvm: readonly string[] = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto'];

/** From now on Maven, wherever this process starts it, runs in such a JVM, unless somebody has chosen its options. */
export function useShortLivedMaven(): void {
  process.env.MAVEN_OPTS ??= shortLivedJvm.join(' ');
}
