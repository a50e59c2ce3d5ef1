/** Names of log levels. */
import { LogLevel } from './gen/muster/v1/log_record_pb.ts';

const names = new Map<LogLevel, string>(Object.entries(LogLevel).map(([name, level]) => [level, name]));

/** The level's name, such as `WARN`. A level that this release does not know is given as its number. */
export function levelName(level: LogLevel): string {
  return names.get(level) ?? String(level);
}
