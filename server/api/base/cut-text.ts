/** Text of callers that goes back to them in an error: it is cut, and whole characters stay whole. */

/** At most `max` UTF-16 units. Half a surrogate pair, which no header can carry, becomes U+FFFD. */
export function cutText(text: string, max: number): string {
  return (text.length > max ? `${text.slice(0, max - 1)}…` : text).toWellFormed();
}
