// What the set-up tells the person in front of it: on stderr, so that stdout belongs to the command.

/** Writes one message, each of its lines marked as the set-up's. */
export function say(message) {
  for (const line of message.split('\n')) process.stderr.write(line === '' ? '\n' : `set-up: ${line}\n`);
}
