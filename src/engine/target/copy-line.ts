const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** A field of COPY's text format without its escapes: PostgreSQL manual "COPY", section "Text Format". */
export function unescapeCopy(field: string): string {
  return field.replace(/\\(.)/gs, (_, character: string) => ESCAPES[character] ?? character);
}

/** The fields of one line, its `\n` included; null = NULL. */
export function splitCopyLine(line: Uint8Array): (string | null)[] {
  const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8');
  if (text === '\n') return [];
  return text
    .slice(0, -1)
    .split('\t')
    .map((field) => (field === '\\N' ? null : unescapeCopy(field)));
}
