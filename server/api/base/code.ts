/** gRPC status codes, the same for every transport. */
export const Code = {
  OK: 0,
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

const names = new Map<number, string>(Object.entries(Code).map(([name, code]) => [code, name]));

/** `UNKNOWN` for a code that is not used here. */
export function codeName(code: number): string {
  return names.get(code) ?? 'UNKNOWN';
}
