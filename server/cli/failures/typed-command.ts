/** Commands in hints, as the user of this installation types them. */

/** The launcher sets it: `npx muster-jobs` where `muster` is not on the PATH. */
const typed = () => process.env.MUSTER_COMMAND || 'muster';

/** `muster list` becomes `npx muster-jobs list`, where that is how to type it. */
export function asTyped(text: string): string {
  return text.replace(/(^|[\s"(])muster (?=[a-z])/g, (_, before: string) => `${before}${typed()} `);
}
