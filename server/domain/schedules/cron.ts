/**
 * Cron expressions and the fields of calendar rules, parsed strictly: anything that is not clearly one of the forms is
 * refused with a hint. The result is normalized, with numbers in place of names.
 */

/** In the order of a cron expression; only calendar rules have a year. */
export const cronFields = ['minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'] as const;
export type CronField = (typeof cronFields)[number] | 'year';

interface FieldRule {
  /** For messages. */
  readonly title: string;
  readonly min: number;
  readonly max: number;
  /** Short names of the values, starting at `min`. */
  readonly names?: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const rules: Readonly<Record<CronField, FieldRule>> = {
  minute: { title: 'minute', min: 0, max: 59 },
  hour: { title: 'hour', min: 0, max: 23 },
  dayOfMonth: { title: 'day of the month', min: 1, max: 31 },
  month: { title: 'month', min: 1, max: 12, names: months },
  // Sunday is both 0 and 7.
  dayOfWeek: { title: 'day of the week', min: 0, max: 7, names: days },
  year: { title: 'year', min: 1970, max: 2199 },
};

export type Checked = { readonly text: string } | { readonly problem: string };

const MAX_LENGTH = 256;
const form = /^(?:(\*)|([a-z]+|\d{1,4})(?:-([a-z]+|\d{1,4}))?)(?:\/(\d{1,4}))?$/i;

class Refusal extends Error {}

function refuse(problem: string): never {
  throw new Refusal(problem);
}

function numberOf(text: string, { title, min, max, names = [] }: FieldRule, isLast: boolean): number {
  const name = text.toLowerCase();
  const named = names.indexOf(name);
  // A range that ends with Sunday ends the week.
  if (named >= 0) return isLast && name === 'sun' ? 7 : min + named;
  if (!/^\d+$/.test(text)) {
    const known = names.length > 0 ? `, or a name such as ${names[1]}` : '';
    refuse(`has "${text}" as ${title}; write a number from ${min} to ${max}${known}`);
  }
  const value = Number(text);
  if (value < min || value > max) refuse(`has ${value} as ${title}; it must be from ${min} to ${max}`);
  return value;
}

function item(text: string, rule: FieldRule): string {
  const { title, min, max } = rule;
  const [match, star, first = '', last, step] = form.exec(text) ?? [];
  if (match === undefined)
    refuse(`has "${text}" as ${title}; the forms are "*", "*/5", "3", "1-5", "1-10/3", and lists of them with commas`);
  const from = star ? min : numberOf(first, rule, false);
  const to = star ? max : last === undefined ? from : numberOf(last, rule, true);
  if (from > to) refuse(`has the ${title} range "${text}", which ends before it begins; write two ranges with a comma`);
  const values = star ? '*' : last === undefined ? String(from) : `${from}-${to}`;
  if (step === undefined) return values;
  if (!star && last === undefined)
    refuse(`has "${text}" as ${title}; a step needs a range: "*/${step}" or "${first}-${max}/${step}"`);
  if (Number(step) < 1 || Number(step) > to - from)
    refuse(`has the step ${step} in the ${title} "${text}"; it must be from 1 to ${to - from}`);
  return Number(step) === 1 ? values : `${values}/${Number(step)}`;
}

function fieldText(text: string, field: CronField): string {
  const rule = rules[field];
  if (text === '') refuse(`has no ${rule.title}; write "*" for each`);
  const items = text.split(',').map((one) => item(one, rule));
  return items.includes('*') ? '*' : items.join(',');
}

function checked(text: string, read: () => string): Checked {
  if (text.length > MAX_LENGTH)
    return { problem: `is ${text.length} characters long; at most ${MAX_LENGTH} are allowed` };
  try {
    return { text: read() };
  } catch (error) {
    if (error instanceof Refusal) return { problem: error.message };
    throw error;
  }
}

/** One field of a calendar rule. */
export function checkField(text: string, field: CronField): Checked {
  return checked(text, () => fieldText(text, field));
}

const macros: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

/** Five fields: minute, hour, day of the month, month, day of the week. */
export function checkCron(text: string): Checked {
  return checked(text, () => {
    const fields = text.trim().split(/[ \t]+/);
    const [only = ''] = fields;
    const meant = macros[only.toLowerCase()];
    if (meant) refuse(`is the short name "${only}", which is not taken; write "${meant}"`);
    if (fields.length !== cronFields.length)
      refuse(
        `has ${only === '' ? 0 : fields.length} fields; write five: minute, hour, day of the month, month, day of the week, ` +
          'such as "30 9 * * 1-5"',
      );
    return cronFields.map((field, i) => fieldText(fields[i] as string, field)).join(' ');
  });
}
