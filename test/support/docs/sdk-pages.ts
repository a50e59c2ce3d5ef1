/** The pages that show each feature in every SDK: their sections, and the code blocks of each language. */
import { readdirSync, readFileSync } from 'node:fs';

/** In the order of each section, with the language names of the fences. */
export const languages = ['typescript', 'python', 'go', 'java', 'rust'] as const;
export type Language = (typeof languages)[number];

export interface Snippet {
  /** Title of the section, such as `Submit many jobs`. */
  readonly title: string;
  /** Name of the section for files, functions and modules: `submit_many_jobs`. */
  readonly name: string;
  readonly code: string;
}

export interface SdkSection {
  readonly page: string;
  readonly title: string;
  /** The text above the blocks. */
  readonly prose: string;
  readonly blocks: readonly { readonly language: string; readonly code: string }[];
}

const folder = new URL('../../../docs/sdks/', import.meta.url);
/** The section with the imports of each language, which is no feature. */
const IMPORTS = 'Imports';

export const sdkPages: readonly string[] = readdirSync(folder).filter((file) => file.endsWith('.md'));

const sections: readonly SdkSection[] = sdkPages.flatMap((page) =>
  readFileSync(new URL(page, folder), 'utf8')
    .split(/^## /m)
    .slice(1)
    .map((section) => sectionOf(page, section)),
);

/** The blocks are found by their fences, because a line of code may look like a heading. */
function sectionOf(page: string, section: string): SdkSection {
  const [title = '', text = ''] = section.split(/\n(.*)/s);
  return {
    page,
    title,
    prose: text.split('```')[0]?.trim() ?? '',
    blocks: [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
      language,
      code,
    })),
  };
}

/** One section per feature. */
export const sdkSections = sections.filter(({ title }) => title !== IMPORTS);
export const importSections = sections.filter(({ title }) => title === IMPORTS);

export function snippetsOf(language: Language): Snippet[] {
  return sdkSections.flatMap(({ title, blocks }) => blocksOf(blocks, language).map((code) => snippet(title, code)));
}

/** The imports above the blocks of a language, so that they compile. */
export function importsOf(language: Language): string {
  return importSections.flatMap(({ blocks }) => blocksOf(blocks, language)).join('');
}

export function snippet(title: string, code: string): Snippet {
  const name = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');
  return { title, name, code };
}

function blocksOf(blocks: SdkSection['blocks'], language: Language): string[] {
  return blocks.filter((block) => block.language === language).map(({ code }) => code);
}
