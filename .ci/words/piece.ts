/** A part of a file in which words are looked up: a comment, a name, a title. */
export const scopes = ['identifier', 'comment', 'message', 'title', 'proto', 'docs'] as const;
export type Scope = (typeof scopes)[number];

export interface Piece {
  readonly scope: Scope;
  readonly text: string;
  /** Where it begins in the file. */
  readonly start: number;
}
