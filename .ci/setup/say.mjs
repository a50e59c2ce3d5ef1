// Messages of the set-up for the user: on stderr, so that stdout belongs to the command.

/** Writes one message, with a prefix on each line. */
export function say(message) {
  for (const line of message.split('\n')) process.stderr.write(line === '' ? '\n' : `set-up: ${line}\n`);
}
