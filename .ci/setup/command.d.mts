/** Runs a program with the tools of the set-up, passes signals on to it, and waits for its end. */
export function runForwarding(
  command: readonly string[],
): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
