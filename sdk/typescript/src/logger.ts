/** Where the SDK and `ctx.log` write. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A structured logger; `pino` and most others fit behind it in three lines. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** One JSON line for each record: `error` and `warn` on stderr, the rest on stdout; `debug` is dropped. */
export const consoleLogger: Logger = {
  log(level, message, fields) {
    if (level === 'debug') return;
    const line = JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
    if (level === 'info') console.log(line);
    else console.error(line);
  },
};
