/**
 * JSON compared by value: equal values have the same canonical text, whatever the order of members, the whitespace and
 * the spelling of strings and numbers. Numbers are compared as decimals: as doubles, two different long ids could
 * become equal.
 */

/** A value with its canonical text; for an object also its members. */
export interface JsonNode {
  readonly text: string;
  readonly members?: ReadonlyMap<string, JsonNode>;
}

interface Open {
  readonly members: Map<string, JsonNode> | undefined;
  key: string | undefined;
  /** For an array: its elements so far. */
  text: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}:,]|[^\s[\]{}:,"]+/g;

/** Returns undefined if the bytes are not JSON. */
export function readJson(data: Uint8Array): JsonNode | undefined {
  try {
    const text = utf8.decode(data);
    // Throws on anything that is not JSON, so that `read` may assume valid JSON.
    JSON.parse(text);
    return read(text);
  } catch {
    return undefined;
  }
}

/** Without recursion: an input may be nested a hundred thousand levels deep. */
function read(text: string): JsonNode {
  const open: Open[] = [];
  let whole: JsonNode = { text: '' };
  const put = (node: JsonNode) => {
    const parent = open.at(-1);
    if (!parent) whole = node;
    else add(parent, node);
  };
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{') open.push({ members: new Map(), key: undefined, text: '' });
    else if (token === '[') open.push({ members: undefined, key: undefined, text: '' });
    else if (token === '}' || token === ']') put(closed(open.pop() as Open));
    else if (token !== ':' && token !== ',') takeScalar(open.at(-1), token, put);
  }
  return whole;
}

/** In an object a string may be the name of the next member. */
function takeScalar(parent: Open | undefined, token: string, put: (node: JsonNode) => void): void {
  if (parent?.members && parent.key === undefined) parent.key = JSON.parse(token);
  else put({ text: scalarText(token) });
}

/** Of members with the same name the last one counts, as in JavaScript. */
function add(parent: Open, node: JsonNode): void {
  if (parent.members) {
    parent.members.set(parent.key as string, node);
    parent.key = undefined;
  } else parent.text += parent.text === '' ? node.text : `,${node.text}`;
}

// Concatenated with + only, which copies nothing: a join at each level of a deep input would be quadratic.
function closed({ members, text }: Open): JsonNode {
  if (!members) return { text: `[${text}]` };
  let all = '';
  for (const key of [...members.keys()].sort())
    all += `${all === '' ? '' : ','}${JSON.stringify(key)}:${members.get(key)?.text}`;
  return { text: `{${all}}`, members };
}

function scalarText(token: string): string {
  if (token.startsWith('"')) return JSON.stringify(JSON.parse(token));
  return /^[tfn]/.test(token) ? token : numberText(token);
}

/** Maximum number of exponent digits that are computed with. */
const MAX_EXPONENT_DIGITS = 15;

/** An integer without trailing zeros, times a power of ten. */
function numberText(token: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  if (digits === '') return '0';
  if (exponent.length > MAX_EXPONENT_DIGITS) return token;
  const significant = withoutEndZeros(digits);
  const power = Number(exponent) - fraction.length + digits.length - significant.length;
  return power === 0 ? sign + significant : `${sign}${significant}e${power}`;
}

/** Not a regular expression: it would scan each run of zeros again, which is quadratic. */
function withoutEndZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}
