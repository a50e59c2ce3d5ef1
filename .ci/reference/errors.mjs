// The errors in the comment of an RPC, and Connect's mapping of errors to HTTP.

/** gRPC's codes by name, with Connect's name and the HTTP status. */
export const codes = {
  CANCELLED: { name: 'canceled', status: 499 },
  UNKNOWN: { name: 'unknown', status: 500 },
  INVALID_ARGUMENT: { name: 'invalid_argument', status: 400 },
  DEADLINE_EXCEEDED: { name: 'deadline_exceeded', status: 504 },
  NOT_FOUND: { name: 'not_found', status: 404 },
  ALREADY_EXISTS: { name: 'already_exists', status: 409 },
  PERMISSION_DENIED: { name: 'permission_denied', status: 403 },
  RESOURCE_EXHAUSTED: { name: 'resource_exhausted', status: 429 },
  FAILED_PRECONDITION: { name: 'failed_precondition', status: 400 },
  ABORTED: { name: 'aborted', status: 409 },
  OUT_OF_RANGE: { name: 'out_of_range', status: 400 },
  UNIMPLEMENTED: { name: 'unimplemented', status: 501 },
  INTERNAL: { name: 'internal', status: 500 },
  UNAVAILABLE: { name: 'unavailable', status: 503 },
  DATA_LOSS: { name: 'data_loss', status: 500 },
  UNAUTHENTICATED: { name: 'unauthenticated', status: 401 },
};

const CODE = new RegExp(`\\b(${Object.keys(codes).join('|')})\\b(?:\\s*\\(([^)]*)\\))?`, 'g');
const AS_ANOTHER = /\bas ([A-Z][A-Za-z]+)\b/g;

/** Splits the comment of an RPC into its description and its errors, as text. */
export function splitErrors(comment) {
  const at = comment.search(/\bErrors: /);
  if (at < 0) return { description: comment, errors: '' };
  return { description: comment.slice(0, at).trim(), errors: comment.slice(at + 'Errors: '.length).trim() };
}

/** The error codes of an RPC, each with its note from the comment; "as GetJob" includes those of GetJob. */
export function errorsOf(method, textOf) {
  const found = new Map();
  const seen = new Set();
  function collect(one) {
    if (seen.has(one)) return;
    seen.add(one);
    const { errors } = splitErrors(textOf(one));
    if (errors === '') throw new Error(`the comment of ${one.name} says nothing about its errors: add "Errors: ..."`);
    for (const [, code, note = ''] of errors.matchAll(CODE)) if (!found.get(code)) found.set(code, note);
    for (const [, name] of errors.matchAll(AS_ANOTHER)) {
      const other = method.parent.methods.find((candidate) => candidate.name === name);
      if (!other) throw new Error(`the comment of ${one.name} names ${name}, and there is no such RPC beside it`);
      collect(other);
    }
  }
  collect(method);
  return [...found].map(([code, note]) => ({ code, note, ...codes[code] }));
}
