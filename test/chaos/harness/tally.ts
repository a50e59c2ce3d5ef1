/** Counts how often things happened. */

export class Tally {
  readonly counts = new Map<string, number>();

  count(what: string, times = 1): void {
    if (times > 0) this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }

  add(other: Tally): void {
    for (const [what, times] of other.counts) this.count(what, times);
  }

  /** Which of these never happened. */
  missing(names: readonly string[]): string[] {
    return names.filter((name) => !this.counts.has(name));
  }

  /** A line each, in the order of the names. */
  table(): string {
    const rows = [...this.counts].sort(([a], [b]) => (a < b ? -1 : 1));
    return rows.map(([what, times]) => `${String(times).padStart(8)}  ${what}`).join('\n');
  }
}
