/** The names of the levels that log records have. */
import { LogLevel } from './gen/muster/v1/log_record_pb.ts';

const names = new Map<LogLevel, string>(Object.entries(LogLevel).map(([name, level]) => [level, name]));

/** Name of the level, such as `WARN`; a level that this release does not know is a number. */
export function levelName(level: LogLevel): string {
  return names.get(level) ?? String(level);
}
