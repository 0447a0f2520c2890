import {
  convertsSafely,
  dateParts,
  IS_ENUM_ERROR,
  isDoubleEncoded,
  utf8Bytes,
  type SqlColumn,
} from '../../types/mysql-sql.ts';
import { sizeLimit } from './row-layout.ts';

/** Something that the data of a column may show, and the condition under which a row does. */
export interface FactQuery {
  readonly fact: string;
  readonly condition: string;
}

/** What is looked for in a column of this type, in SQL. What JSON holds is not: SQL cannot say it. */
export function factQueries(column: SqlColumn): FactQuery[] {
  const { sql, family, declared } = column;
  const facts: FactQuery[] = [{ fact: 'null', condition: `${sql} IS NULL` }];
  const limit = sizeLimit(column);
  if (limit !== null)
    facts.push({ fact: 'tooLarge', condition: `OCTET_LENGTH(${sql}) > ${String(limit)}` });
  switch (family) {
    case 'integer':
      if (declared.name === 'tinyint' && declared.sizes[0] === 1)
        facts.push({ fact: 'outsideBoolean', condition: `${sql} NOT IN (0, 1)` });
      break;
    case 'time':
      facts.push({
        fact: 'outsideDay',
        condition: `(LEFT(CAST(${sql} AS CHAR), 1) = '-' OR ${sql} > '24:00:00')`,
      });
      break;
    case 'date':
    case 'datetime':
    case 'timestamp': {
      const { isZero, isPartial, isInvalid } = dateParts(sql);
      facts.push(
        { fact: 'zeroDate', condition: isZero },
        { fact: 'partialDate', condition: isPartial },
        { fact: 'invalidDate', condition: isInvalid },
      );
      break;
    }
    case 'enum':
      facts.push({ fact: 'enumError', condition: IS_ENUM_ERROR(sql) });
      break;
    case 'text': {
      facts.push(
        // Byte by byte: many collations do not see a NUL. In UTF-8: UCS-2 is full of such bytes.
        { fact: 'nul', condition: `LOCATE(x'00', ${utf8Bytes(column)}) > 0` },
        { fact: 'doubleEncoded', condition: isDoubleEncoded(column) },
      );
      const isSafe = convertsSafely(column);
      if (isSafe !== null) facts.push({ fact: 'unconvertible', condition: `NOT (${isSafe})` });
      break;
    }
    case 'binary':
    case 'bit':
    case 'decimal':
    case 'double':
    case 'float':
    case 'geometry':
    case 'inet':
    case 'json':
    case 'set':
    case 'unknown':
    case 'uuid':
    case 'year':
      break;
  }
  return facts;
}

/** Smallest and greatest whole number, longest text: SQL, or NULL where there is no such thing. */
export function extremes({ sql, family }: SqlColumn): readonly [string, string, string] {
  const isWhole = family === 'integer' || family === 'year';
  const isText = family === 'text' || family === 'json';
  return [
    isWhole ? `MIN(${sql} + 0)` : 'NULL',
    isWhole ? `MAX(${sql} + 0)` : 'NULL',
    isText ? `MAX(CHAR_LENGTH(${sql}))` : 'NULL',
  ];
}

/** A column with all that is looked for in it. */
export interface ScannedColumn {
  readonly name: string;
  readonly source: SqlColumn;
  readonly queries: readonly FactQuery[];
}
