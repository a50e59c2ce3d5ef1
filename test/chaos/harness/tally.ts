/** Counts how often things happened. */

export class Tally {
  readonly counts = new Map<string, number>();

  count(what: string, times = 1): void {
    if (times > 0) this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }

  add(other: Tally): void {
    for (const [what, times] of other.counts) this.count(what, times);
  }

  /** The names that were never counted. */
  missing(names: readonly string[]): string[] {
    return names.filter((name) => !this.counts.has(name));
  }

  /** One line per name, sorted. */
  table(): string {
    const rows = [...this.counts].sort(([a], [b]) => (a < b ? -1 : 1));
    return rows.map(([what, times]) => `${String(times).padStart(8)}  ${what}`).join('\n');
  }
}
