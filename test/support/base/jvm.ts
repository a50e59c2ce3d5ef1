/** JVM flags of the tests. Each JVM is short-lived: it should compile little and use few threads for collection. */
export const shortLivedJvm: readonly string[] = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto'];

/** From now on every Maven that this process starts runs in such a JVM, unless its options are set already. */
export function useShortLivedMaven(): void {
  process.env.MAVEN_OPTS ??= shortLivedJvm.join(' ');
}
