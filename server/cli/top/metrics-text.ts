/** Parses the text of a replica's `/metrics`, as Prometheus does. */

export interface Sample {
  /** With the suffix of a histogram's series. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric with all its series. */
export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

const ENDINGS = /_(bucket|sum|count)$/;

/** By name, without suffixes. @throws Error at an invalid line. */
export function parseMetrics(text: string): Map<string, Family> {
  const families = new Map<string, { type: string; help: string; samples: Sample[] }>();
  const familyOf = (name: string) => {
    const family = families.get(name) ?? { type: '', help: '', samples: [] };
    families.set(name, family);
    return family;
  };
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [, what, name = '', rest = ''] = /^# (HELP|TYPE|UNIT) (\S+) (.*)$/.exec(line) ?? [];
    if (what === 'HELP') familyOf(name).help = rest;
    else if (what === 'TYPE') familyOf(name).type = rest;
    else if (what === undefined) {
      const sample = sampleOf(line);
      const base = sample.name.replace(ENDINGS, '');
      familyOf(families.has(base) ? base : sample.name).samples.push(sample);
    }
  }
  return families;
}

function sampleOf(line: string): Sample {
  const [, name, labels = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (name === undefined) throw new Error(`no line of the format: ${line}`);
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [key, text]);
  return {
    name,
    labels: Object.fromEntries(pairs),
    value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value),
  };
}

/** The sum of the series with these labels; undefined: there is none. */
export function sumOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(ENDINGS, ''));
  const found = family?.samples.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  return found && found.length > 0 ? found.reduce((sum, { value }) => sum + value, 0) : undefined;
}
