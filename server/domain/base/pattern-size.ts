/** The size of a regular expression's program, which bounds the time that it takes for each character of a text. */

/** Instructions of a class such as `\pL`, which has hundreds of ranges. */
const UNICODE_CLASS = 300;
/** RE2 refuses more, also by repetitions inside each other. */
const MAX_REPEATS = 1_000;
const CHARS_PER_INSTRUCTION = 4;

const REPEAT = /\{(\d+)(?:,(\d*))?\}/y;
/** Sets flags and matches nothing: a repetition after it repeats what stands before it. */
const FLAGS = /\(\?[a-zA-Z-]+\)/y;
const ESCAPE = /\\(?:[pPx]\{[^}]{0,64}\}|.)/sy;

/** At least the number of instructions, and rarely many more, if it is a pattern of RE2. Takes linear time. */
export function patternSize(pattern: string): number {
  // Quoted text may hold any of the characters that are interpreted below.
  if (pattern.includes('\\Q')) return (pattern.length + unicodeClasses(pattern)) * MAX_REPEATS;
  /** Sizes of the groups that are open, outermost first, without `last`, which a repetition would repeat. */
  const open = [0];
  let last = 0;
  const add = (size: number) => {
    open.push((open.pop() ?? 0) + last);
    last = size;
  };
  const lastNamed = pattern.lastIndexOf(':]');
  for (let at = 0; at < pattern.length; ) {
    const char = pattern[at];
    const flags = char === '(' ? matchAt(FLAGS, pattern, at) : null;
    if (flags) {
      at += flags[0].length;
      continue;
    }
    const repeat = char === '{' ? matchAt(REPEAT, pattern, at) : null;
    const part = char === '[' ? classAt(pattern, at, lastNamed) : partAt(pattern, at);
    if (repeat) last *= Math.max(1, Number(repeat[1]), Number(repeat[2] ?? 0));
    else if (char === '*' || char === '+' || char === '?') last++;
    else if (char === ')' && open.length > 1) {
      add(0);
      last = (open.pop() ?? 0) + 2;
    } else add((char === '[' ? 1 + part.length / CHARS_PER_INSTRUCTION : 1) + unicodeClasses(part));
    if (char === '(') open.push(0);
    at += repeat?.[0].length ?? part.length;
  }
  return Math.ceil(open.reduce((sum, size) => sum + size, last));
}

function matchAt(expression: RegExp, text: string, at: number): RegExpExecArray | null {
  expression.lastIndex = at;
  return expression.exec(text);
}

/** One character, or an escape. */
function partAt(pattern: string, at: number): string {
  return (pattern[at] === '\\' ? matchAt(ESCAPE, pattern, at)?.[0] : undefined) ?? (pattern[at] as string);
}

/** From the bracket that opens it to the one that closes it. `lastNamed`: where the last `:]` is. */
function classAt(pattern: string, from: number, lastNamed: number): string {
  let at = from + (pattern[from + 1] === '^' ? 2 : 1);
  // A bracket that comes first is one of its characters.
  if (pattern[at] === ']') at++;
  while (at < pattern.length && pattern[at] !== ']')
    if (pattern.startsWith('[:', at) && at + 2 <= lastNamed) at = pattern.indexOf(':]', at + 2) + 2;
    else at += partAt(pattern, at).length;
  return pattern.slice(from, at + 1);
}

function unicodeClasses(text: string): number {
  return (text.match(/\\[pP]/g)?.length ?? 0) * UNICODE_CLASS;
}
