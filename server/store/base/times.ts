/** Timestamps as microseconds since 1970, exact in a JavaScript number until the year 2255. */

/** Reads PostgreSQL's ISO form in UTC, such as `2026-11-25 08:01:02.345678+00`. */
export function microsOf(text: string): number {
  const ms = Date.UTC(
    +text.slice(0, 4),
    +text.slice(5, 7) - 1,
    +text.slice(8, 10),
    +text.slice(11, 13),
    +text.slice(14, 16),
    +text.slice(17, 19),
  );
  if (text.charCodeAt(19) !== 46) return ms * 1000;
  const end = text.length - 3;
  return ms * 1000 + Number(text.slice(20, end).padEnd(6, '0'));
}

/**
 * SQL of the present time: the database's, but at most a second from the time of the parameter, which is the replica's.
 * For times that decide what happens later, where a clock that has stepped would do harm.
 */
export function nowNear(parameter: string): string {
  const own = `${parameter}::timestamptz`;
  return `least(greatest(muster_now(), ${own} - interval '1 s'), ${own} + interval '1 s')`;
}

/**
 * SQL condition: a replica left this half done, since its time is older than the parameter, in ms. A time in the future is
 * as old: the database's clock was ahead when it was written.
 */
export function isLeft(column: string, parameter: string): string {
  const age = `${parameter}::double precision * interval '1 ms'`;
  return `${column} NOT BETWEEN (SELECT muster_now()) - ${age} AND (SELECT muster_now())`;
}

/** The form that PostgreSQL reads. Null stays null. */
export function timestampOf(micros: number | null | undefined): string | null {
  if (micros === null || micros === undefined) return null;
  const ms = Math.floor(micros / 1000);
  return `${new Date(ms).toISOString().slice(0, 23)}${String(micros - ms * 1000).padStart(3, '0')}Z`;
}
