import { charsetOf, isSafelyConverted, type DeclaredType, type Family } from './mysql-declared.ts';

/** A column as the server's SQL sees it. */
export interface SqlColumn {
  /** The quoted name. */
  readonly sql: string;
  readonly declared: DeclaredType;
  readonly family: Family;
  /** null = no text, or bytes. */
  readonly collation: string | null;
}

/** An identifier for the server's SQL. */
export function quoteMysqlName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** Expressions of a SELECT under names of their own: mysql2 takes offence at columns called `__proto__`. */
export function selectList(expressions: readonly string[]): string {
  return expressions.map((sql, index) => `${sql} AS f${String(index)}`).join(', ');
}

/** A text constant, whatever is in it and whatever `sql_mode` is. */
export function quoteMysqlText(text: string): string {
  return text === '' ? "_utf8mb4''" : `_utf8mb4 x'${Buffer.from(text, 'utf8').toString('hex')}'`;
}

/** The text in UTF-8; the session's own conversion does the same. */
export function asUtf8({ sql, collation }: Pick<SqlColumn, 'sql' | 'collation'>): string {
  return charsetOf(collation).startsWith('utf8') ? sql : `CONVERT(${sql} USING utf8mb4)`;
}

/** The UTF-8 bytes of the text. */
export function utf8Bytes(column: Pick<SqlColumn, 'sql' | 'collation'>): string {
  return `CAST(${asUtf8(column)} AS BINARY)`;
}

/**
 * True for text of which the conversion to UTF-8 loses nothing: what has no character there becomes `?` or U+FFFD unnoticed.
 * That the way back gives the same bytes proves it, but sjis and cp932 have characters whose way back is another one; of
 * text with such ones there are as many `?` as before.
 */
export function convertsSafely({ sql, collation }: SqlColumn): string | null {
  if (isSafelyConverted(collation)) return null;
  const charset = charsetOf(collation);
  const utf8 = `CONVERT(${sql} USING utf8mb4)`;
  // No CAST: it makes NULL of what has more than `max_allowed_packet`, and UTF-8 can be three times as long.
  const isSame = `CONVERT(${utf8} USING ${charset}) COLLATE ${charset}_bin = ${sql}`;
  const isWhole = `${questionMarks(utf8)} = ${questionMarks(sql)} AND LOCATE(_utf8mb4 x'efbfbd', ${utf8} COLLATE utf8mb4_bin) = 0`;
  return `(${isSame} OR COALESCE(${isWhole}, FALSE))`;
}

function questionMarks(text: string): string {
  return `CHAR_LENGTH(${text}) - CHAR_LENGTH(REPLACE(${text}, '?', ''))`;
}

/** True for text that may be UTF-8 which was taken for Windows-1252 and encoded once more. */
export function isDoubleEncoded(column: Pick<SqlColumn, 'sql' | 'collation'>): string {
  const utf8 = asUtf8(column);
  const single = `CAST(CONVERT(${utf8} USING latin1) AS BINARY)`;
  const hasOther = `OCTET_LENGTH(${utf8}) <> CHAR_LENGTH(${utf8})`;
  const isLatin = `CAST(CONVERT(CONVERT(${utf8} USING latin1) USING utf8mb4) AS BINARY) = CAST(${utf8} AS BINARY)`;
  const isUtf8 = `CAST(CONVERT(${single} USING utf8mb4) AS BINARY) = ${single}`;
  return `(CASE WHEN ${hasOther} THEN COALESCE(${isLatin} AND ${isUtf8}, FALSE) ELSE FALSE END)`;
}

export const IS_ENUM_ERROR = (sql: string): string => `${sql} + 0 = 0`;

/** Year, month and day of a date that may be on no calendar, and whether it is. */
export function dateParts(sql: string): {
  readonly isZero: string;
  readonly isPartial: string;
  readonly isInvalid: string;
} {
  const [year, month, day] = [`YEAR(${sql})`, `MONTH(${sql})`, `DAYOFMONTH(${sql})`];
  const isLeap = `(${year} % 4 = 0 AND (${year} % 100 <> 0 OR ${year} % 400 = 0))`;
  const length = `(CASE WHEN ${month} IN (4, 6, 9, 11) THEN 30 WHEN ${month} = 2 THEN IF(${isLeap}, 29, 28) ELSE 31 END)`;
  const isZero = `(${year} = 0 AND ${month} = 0 AND ${day} = 0)`;
  const isPartial = `(${year} > 0 AND (${month} = 0 OR ${day} = 0))`;
  return {
    isZero,
    isPartial,
    isInvalid: `(NOT ${isZero} AND NOT ${isPartial} AND (${year} = 0 OR ${month} = 0 OR ${day} = 0 OR ${day} > ${length}))`,
  };
}

/** What is selected for a column so that its text row says everything that the encoders need. */
export function readExpression(column: SqlColumn): string {
  const { sql, family, declared } = column;
  switch (family) {
    case 'float':
    case 'double':
      // The text of a FLOAT has six digits; FLOAT(M,D) and DOUBLE(M,D) print D of the fraction.
      return `${sql} * 1e0`;
    case 'integer':
    case 'decimal':
      return declared.zerofill ? `${sql} + 0` : sql;
    case 'year':
      return `${sql} + 0`;
    case 'enum':
      return `CASE WHEN ${IS_ENUM_ERROR(sql)} THEN '\\0' ELSE ${sql} END`;
    case 'text': {
      const isSafe = convertsSafely(column);
      if (isSafe === null) return sql;
      // No UTF-8 begins with FF. Bytes of more than `max_allowed_packet` are NULL, and must not look like one.
      const bytes = `COALESCE(CONCAT(x'ff', CAST(${sql} AS BINARY)), x'ff')`;
      return `CASE WHEN ${sql} IS NULL THEN NULL WHEN ${isSafe} THEN CONVERT(${sql} USING utf8mb4) ELSE ${bytes} END`;
    }
    case 'binary':
    case 'bit':
    case 'date':
    case 'datetime':
    case 'geometry':
    case 'inet':
    case 'json':
    case 'set':
    case 'time':
    case 'timestamp':
    case 'unknown':
    case 'uuid':
      return sql;
  }
}
