/**
 * Text as PostgreSQL stores it: it holds no NUL, so NUL becomes U+FFFD. This is the only place that all texts pass,
 * such as messages of failed expressions. Callers refuse NUL in names and keys.
 */
export function storedText(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
}
