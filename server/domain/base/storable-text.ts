/** Text as the store can hold it: PostgreSQL has no NUL, and a lone surrogate is not valid; both become U+FFFD. */
export function storableText(text: string): string {
  return text.replaceAll('\u0000', '\ufffd').toWellFormed();
}
