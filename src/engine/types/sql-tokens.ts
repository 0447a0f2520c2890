/** A token of SQL, with its place in the text. */
export interface Token {
  readonly kind: 'name' | 'quotedName' | 'string' | 'number' | 'blob' | 'operator' | 'variable';
  /** The text as it stands; of a quoted name and of a string what is inside the quotes, of a blob its digits. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** True for the bare word, in any case; a quoted name is never a keyword. */
export function isWord(token: Token | undefined, ...words: readonly string[]): boolean {
  return token?.kind === 'name' && words.includes(token.text.toUpperCase());
}

export function isOperator(token: Token | undefined, ...operators: readonly string[]): boolean {
  return token?.kind === 'operator' && operators.includes(token.text);
}
