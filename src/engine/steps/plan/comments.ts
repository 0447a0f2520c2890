/** What the source says of a table or column, and what it is called there where the target's name is another. */
export function nameComment(
  source: string,
  target: string,
  comment: string | null | undefined,
): string | undefined {
  // PostgreSQL takes no NUL in text.
  const own = (comment ?? '').replaceAll('\u0000', '');
  if (source === target) return own === '' ? undefined : own;
  const origin = `Called ${JSON.stringify(source.replaceAll('\u0000', ''))} in the source`;
  return own === '' ? origin : `${own} (${origin})`;
}
