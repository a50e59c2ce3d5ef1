/**
 * Maps with sorted keys: maps have no order on the wire, and some languages encode them in a different order each time.
 */
export function sortedMap<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
