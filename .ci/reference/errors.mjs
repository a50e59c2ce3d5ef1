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

const ERRORS = /(?:^|\n)Errors:\n/;
/** `- CODE`, `- CODE (REASON, …)`, each perhaps with `: note.`; `- As OtherRpc.`. */
const ITEM = new RegExp(
  `^- (?:(${Object.keys(codes).join('|')})(?: \\(([A-Z_, ]+)\\))?(?::(?: (.+))?)?|As ([A-Za-z]+)\\.)$`,
);

/** Splits the comment of an RPC into its description and its list of errors, as text. */
export function splitErrors(comment) {
  const [description, errors = ''] = comment.split(ERRORS);
  return { description: description.trim(), errors };
}

/** The items of a list of errors: a code with its note, or another RPC whose errors it includes. */
function* itemsOf(errors, name) {
  const lines = errors.split('\n').filter(Boolean);
  for (const [at, line] of lines.entries()) {
    if (line.startsWith('  - ')) continue;
    const item = ITEM.exec(line);
    if (!item) throw new Error(`the comment of ${name} has "${line}" among its errors: write "- CODE: note."`);
    const [, code, reasons, note, other] = item;
    const end = lines.findIndex((next, i) => i > at && !next.startsWith('  - '));
    const inner = lines.slice(at + 1, end < 0 ? undefined : end).map((next) => next.slice(4).replace(/\.?$/, '.'));
    const own = [reasons, note].filter(Boolean).join(': ').replace(/\.$/, '');
    yield { code, other, note: inner.length > 0 ? inner.join(' ') : own };
  }
}

/** The error codes of an RPC, each with its note from the comment; "as GetJob" includes those of GetJob. */
export function errorsOf(method, textOf) {
  const found = new Map();
  const seen = new Set();
  function collect(one) {
    if (seen.has(one)) return;
    seen.add(one);
    const { errors } = splitErrors(textOf(one));
    if (errors === '') throw new Error(`the comment of ${one.name} has no list of errors: add "Errors:" and the items`);
    for (const { code, other, note } of itemsOf(errors, one.name)) {
      if (code && !found.get(code)) found.set(code, note);
      if (other) collect(rpcOf(method.parent, other, one.name));
    }
  }
  collect(method);
  return [...found].map(([code, note]) => ({ code, note, ...codes[code] }));
}

function rpcOf(service, name, namedBy) {
  const rpc = service.methods.find((method) => method.name === name);
  if (!rpc) throw new Error(`the comment of ${namedBy} names ${name}, and its service has no such RPC`);
  return rpc;
}
