/** A value that never changes: read by the first caller, for all that ask meanwhile and later. */
export function readOnce<T>(read: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | undefined;
  return () => {
    found ??= read().catch((error) => {
      found = undefined;
      throw error;
    });
    return found;
  };
}
