/** Cuts text of callers that is repeated to them in an error, without splitting characters. */

/** At most `max` UTF-16 units. A lone surrogate, which no header can carry, becomes U+FFFD. */
export function cutText(text: string, max: number): string {
  return (text.length > max ? `${text.slice(0, max - 1)}…` : text).toWellFormed();
}
