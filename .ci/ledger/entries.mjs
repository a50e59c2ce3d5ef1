// One line of the ledger for each check: kind, file and title, separated by tabs.

/** Titles without what differs from run to run and from machine to machine. */
export function normalTitle(title) {
  return title
    .replaceAll(/ is left out: [^>]*? > /g, ' > ')
    .replaceAll(/\(seed \d+\)/g, '(seed)')
    .replaceAll(/\S*\/node (workers\/)/g, 'node $1')
    .replaceAll(/\/tmp\/[\w-]+\//g, '<tmp>/');
}

/** Sorted lines; the second of two checks with one title gets a number. */
export function lines(checks) {
  const seen = new Map();
  const all = checks.map(({ kind, file, title }) => {
    const line = `${kind}\t${file}\t${normalTitle(title).replaceAll(/\s+/g, ' ')}`;
    const times = (seen.get(line) ?? 0) + 1;
    seen.set(line, times);
    return times === 1 ? line : `${line} (${times})`;
  });
  return all.sort();
}

/**
 * What the ledger has and this checkout has not.
 *
 * @param ledger Its text.
 * @param now Lines of this checkout.
 * @param moved Rules in their order: `from` is a line or, between slashes, a regular expression over lines; `to` is the line that asserts it now,
 *     with $1 and so on, and empty where the feature is gone; `why` says why.
 * @param files New paths of files by their old ones. They apply after the rules.
 * @param titles What `titlesOf` gives, by the new paths. They apply last.
 */
export function goneFrom(ledger, now, moved, files, titles) {
  const present = new Set(now);
  const rules = moved.map(({ from, to }) => ({ from: patternOf(from), to }));
  return ledger
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      let place = line;
      for (const { from, to } of rules) place = place.replace(from, to);
      place = retitled(refiled(place, files), titles);
      if (place === '' || present.has(place)) return [];
      return [place === line ? `gone: ${line}` : `gone: ${line}\n  not found either: ${place}`];
    });
}

function patternOf(from) {
  if (from.startsWith('/') && from.endsWith('/')) return new RegExp(from.slice(1, -1));
  return new RegExp(`^${from.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}

function refiled(line, files) {
  const [kind, file, title] = line.split('\t');
  return file in files ? `${kind}\t${files[file]}\t${title}` : line;
}

function retitled(line, titles) {
  const [kind, file, title] = line.split('\t');
  const now = kind === 'vitest' ? titles.get(`${file}\t${title}`) : undefined;
  return now === undefined ? line : `${kind}\t${file}\t${now}`;
}

/** New titles by file and old title, from lines of files, each followed by lines of a tab, the old title, a tab and the new one. */
export function titlesOf(text) {
  const titles = new Map();
  let file = '';
  for (const line of text.trimEnd().split('\n')) {
    const [path, old, now] = line.split('\t');
    if (old === undefined) file = path;
    else titles.set(`${file}\t${old}`, now);
  }
  return titles;
}
