/** The logger that the SDK and `ctx.log` write to. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A structured logger. An adapter for `pino` or a similar library takes a few lines. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Writes each record as a line of JSON: `error` and `warn` to stderr, `info` to stdout; drops `debug`. */
export const consoleLogger: Logger = {
  log(level, message, fields) {
    if (level === 'debug') return;
    const line = JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
    if (level === 'info') console.log(line);
    else console.error(line);
  },
};
