import type { ChunkKey, KeyTuple } from '../../contract.ts';
import { charsetOf } from '../../types/mysql-declared.ts';
import type { SqlColumn } from '../../types/mysql-sql.ts';

/** A range of a key: lower exclusive, upper inclusive, null = open. */
export interface KeyRange {
  readonly lower: KeyTuple | null;
  readonly upper: KeyTuple | null;
}

/** One column of a chunk key, with how a value of it is fetched as a bound and written as a constant. */
export interface KeyPart {
  readonly sql: string;
  /** SQL of the bound's text. */
  readonly select: string;
  /** SQL constant from the bound's text. Throws where that is none: bounds come from a plan. */
  readonly literal: (bound: string) => string;
}

const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;
const MOMENT = /^[-\d :.]+$/;
const HEX = /^[0-9A-Fa-f]*$/;

/** Text bounds of the kind `text` stand as they are; of other text, and of bytes, in hex of the column's own bytes. */
export function keyPart(column: SqlColumn, kind: ChunkKey['kinds'][number]): KeyPart {
  const { sql, family, collation, declared } = column;
  switch (family) {
    case 'integer':
    case 'decimal':
    case 'year':
    case 'bit':
      return {
        sql,
        select: `CAST(${sql} + 0 AS CHAR)`,
        literal: checked(NUMBER, (bound) => bound),
      };
    case 'enum':
    case 'set':
      // They sort by their number.
      return {
        sql: `(${sql} + 0)`,
        select: `CAST(${sql} + 0 AS CHAR)`,
        literal: checked(NUMBER, (bound) => bound),
      };
    case 'float':
    case 'double':
      return {
        sql,
        select: `CAST(${sql} * 1e0 AS CHAR)`,
        literal: checked(NUMBER, (bound) => (/e/i.test(bound) ? bound : `${bound}e0`)),
      };
    case 'date':
    case 'datetime':
    case 'timestamp':
    case 'time':
      return {
        sql,
        select: `CAST(${sql} AS CHAR)`,
        literal: checked(MOMENT, (bound) => `'${bound}'`),
      };
    case 'text':
      if (kind === 'text')
        return {
          sql,
          select: sql,
          literal: (bound) =>
            bound === ''
              ? "_utf8mb4''"
              : `_utf8mb4 x'${Buffer.from(bound, 'utf8').toString('hex')}'`,
        };
      return {
        sql,
        select: `HEX(CAST(${sql} AS BINARY))`,
        literal: checked(HEX, (bound) => `_${charsetOf(collation)} x'${bound}'`),
      };
    case 'binary':
      // BINARY(n) is padded with zero bytes, which its comparison sees.
      return { sql, select: `HEX(${sql})`, literal: checked(HEX, (bound) => `x'${bound}'`) };
    case 'uuid':
    case 'inet':
      return {
        sql,
        select: `CAST(${sql} AS CHAR)`,
        literal: checked(/^[\w.:-]*$/, (bound) => `CAST('${bound}' AS ${declared.name})`),
      };
    case 'json':
    case 'geometry':
    case 'unknown':
      throw new Error(`a ${declared.name} is no key`);
  }
}

function checked(pattern: RegExp, render: (bound: string) => string): (bound: string) => string {
  return (bound) => {
    if (!pattern.test(bound)) throw new Error('a bound of a chunk is no value of its key');
    return render(bound);
  };
}

/**
 * Rows of a range, written out: the servers read `(a, b) > (1, 2)` without the index. The first column's own condition stands
 * in front, because an OR alone hides it from the optimizer.
 */
export function rangeSql(parts: readonly KeyPart[], { lower, upper }: KeyRange): string {
  const conditions: string[] = [];
  if (lower !== null) conditions.push(beyond(parts, lower, '>', false));
  if (upper !== null) conditions.push(beyond(parts, upper, '<', true));
  return conditions.length === 0 ? 'TRUE' : conditions.join(' AND ');
}

function beyond(
  parts: readonly KeyPart[],
  bound: KeyTuple,
  operator: '<' | '>',
  inclusive: boolean,
): string {
  const literals = parts.map((part, index) => part.literal(bound[index] ?? ''));
  const alternatives = parts.map(({ sql }, index) => {
    const equal = parts
      .slice(0, index)
      .map((part, position) => `${part.sql} = ${literals[position] ?? ''}`);
    const isLast = index === parts.length - 1;
    const own = `${sql} ${operator}${isLast && inclusive ? '=' : ''} ${literals[index] ?? ''}`;
    return [...equal, own].join(' AND ');
  });
  if (alternatives.length === 1) return alternatives[0] ?? 'TRUE';
  const first = `${parts[0]?.sql ?? ''} ${operator}= ${literals[0] ?? ''}`;
  return `${first} AND (${alternatives.map((text) => `(${text})`).join(' OR ')})`;
}

export function orderSql(parts: readonly KeyPart[]): string {
  return parts.length === 0 ? '' : ` ORDER BY ${parts.map(({ sql }) => sql).join(', ')}`;
}
