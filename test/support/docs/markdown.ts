/** Helpers that read Markdown for the tests of documents: sections, links and anchors. */

export interface Section {
  readonly title: string;
  readonly text: string;
}

export interface Link {
  readonly text: string;
  /** As written: a path with or without `#anchor`, or a URL. */
  readonly target: string;
}

/** A document without code blocks, in which `#` and brackets mean something else. */
export function withoutCode(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, 'code');
}

/** Links to files of the repository, without external ones. */
export function localLinks(markdown: string): Link[] {
  return [...withoutCode(markdown).matchAll(/\[([^\]]*)\]\(([^)\s]+)\)/g)]
    .map(([, text = '', target = '']) => ({ text, target }))
    .filter(({ target }) => !/^[a-z]+:/.test(target));
}

/** Anchors of the headings, as GitHub makes them. */
export function anchorsOf(markdown: string): Set<string> {
  const headings = markdown.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#{1,6} (.*)$/gm);
  const seen = new Map<string, number>();
  const names = [...headings].map(([, heading = '']) => {
    const name = slug(heading);
    const times = seen.get(name) ?? 0;
    seen.set(name, times + 1);
    return times === 0 ? name : `${name}-${times}`;
  });
  return new Set(names);
}

function slug(heading: string): string {
  const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
  return text.replace(/[^\p{Letter}\p{Number}\s_-]/gu, '').replaceAll(' ', '-');
}

/** Sections with headings of one level, each up to the next heading of that level or a higher one. */
export function sectionsOf(markdown: string, level: number): Section[] {
  const marks = '#'.repeat(level);
  const pattern = new RegExp(`^${marks} (.*)\\n([\\s\\S]*?)(?=^#{1,${level}} |(?![\\s\\S]))`, 'gm');
  return [...markdown.matchAll(pattern)].map(([, title = '', text = '']) => ({ title, text }));
}

/** Paths of the test files that a document links. */
export function testsIn(text: string): string[] {
  return [...text.matchAll(/\]\(([^)]*\/test[^)]*)\)/g)].map(([, file = '']) => file);
}
