/** What a declared type of SQLite asks for. SQLite itself enforces none of it (outside STRICT tables). */
export const SQLITE_FAMILIES = [
  'integer',
  'real',
  'decimal',
  'boolean',
  'date',
  'dateTime',
  'time',
  'text',
  'blob',
  'any',
] as const;
export type SqliteFamily = (typeof SQLITE_FAMILIES)[number];

/** First match wins; broader than SQLite's affinity rules, because people mean more than SQLite distinguishes. */
const RULES: readonly (readonly [RegExp, SqliteFamily])[] = [
  [/BOOL/, 'boolean'],
  [/JSON|UUID|GUID/, 'text'],
  [/DATETIME|TIMESTAMP/, 'dateTime'],
  [/\bDATE/, 'date'],
  [/\bTIME/, 'time'],
  [/CHAR|CLOB|TEXT|STRING/, 'text'],
  [/POINT|INTERVAL/, 'any'],
  [/INT|\bSERIAL|\bBIGSERIAL/, 'integer'],
  [/BLOB|BINARY|BYTEA|IMAGE/, 'blob'],
  [/REAL|FLOA|DOUB/, 'real'],
  [/DEC|NUM|MONEY|CURRENCY/, 'decimal'],
];

export function familyOf(declaredType: string): SqliteFamily {
  const upper = declaredType.toUpperCase();
  return RULES.find(([pattern]) => pattern.test(upper))?.[1] ?? 'any';
}

export const DATE_FAMILIES: ReadonlySet<SqliteFamily> = new Set(['date', 'dateTime', 'time']);
export const NUMBER_FAMILIES: ReadonlySet<SqliteFamily> = new Set(['integer', 'real', 'decimal']);

/** The `(p,s)` of a decimal declaration that PostgreSQL has too; null = none, or beyond its limits. */
export function decimalModifier(
  declaredType: string,
): { readonly precision: number; readonly scale: number } | null {
  const match = /\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)/.exec(declaredType);
  if (match === null) return null;
  const precision = Number(match[1]);
  const scale = Number(match[2] ?? 0);
  return precision >= 1 && precision <= 1000 && scale <= precision ? { precision, scale } : null;
}
