import type { Sequence } from '../../contract.ts';
import { isText, nameOf, partsOfName, textOf, tokensOf } from '../../types/postgres-tokens.ts';
import { quotePostgresName } from '../../types/sql-text.ts';
import type { ColumnRow, ExpressionRow, SequenceRow } from './catalog-queries.ts';
import type { PostgresSession } from './session.ts';

/** A counter with the number that it would give next. */
export interface Counter extends SequenceRow {
  readonly next: string;
}

interface CounterState {
  readonly oid: string;
  readonly last: string;
  readonly is_called: boolean;
}

/** A server's parser has a limited stack. */
const READ_TOGETHER = 200;

/** Reads the counters. One that the account may not read is said to be at its start. */
export async function readCounters(
  session: PostgresSession,
  rows: readonly SequenceRow[],
): Promise<Counter[]> {
  const readable = rows.filter((row) => row.can_read);
  const selects = readable.map(
    ({ oid, schema, name }) =>
      `SELECT '${oid}' AS oid, last_value::text AS last, is_called FROM ${quotePostgresName(schema)}.${quotePostgresName(name)}`,
  );
  const states: CounterState[] = [];
  for (let start = 0; start < selects.length; start += READ_TOGETHER) {
    const together = selects.slice(start, start + READ_TOGETHER).join(' UNION ALL ');
    states.push(
      ...(await session.query<{ [Key in keyof CounterState]: CounterState[Key] }>(together)),
    );
  }
  const byOid = new Map(states.map((state) => [state.oid, state]));
  return rows.map((row) => {
    const state = byOid.get(row.oid);
    return { ...row, next: state === undefined ? row.start : nextNumber(row, state) };
  });
}

function nextNumber(row: SequenceRow, { last, is_called: isCalled }: CounterState): string {
  if (!isCalled) return last;
  const [next, increment] = [BigInt(last) + BigInt(row.increment), BigInt(row.increment)];
  if (increment > 0n && next > BigInt(row.max)) return row.cycles ? row.min : row.max;
  if (increment < 0n && next < BigInt(row.min)) return row.cycles ? row.max : row.min;
  return String(next);
}

/** The counter of a column that numbers itself: IDENTITY, or serial, whose default takes from a sequence of its own. */
export function isCounterOf(
  counter: SequenceRow,
  column: ColumnRow,
  byDefault: ExpressionRow | undefined,
): boolean {
  if (counter.owner_relation !== column.relation || counter.owner_number !== column.number)
    return false;
  if (counter.is_identity) return true;
  return !column.nullable && isNextOf(counter, byDefault?.expression ?? '');
}

/** `nextval('schema.name'::regclass)`, however it is quoted. */
function isNextOf({ schema, name }: SequenceRow, expression: string): boolean {
  const tokens = tokensOf(expression);
  const text = tokens[2] ?? '';
  if (nameOf(tokens[0] ?? '') !== 'nextval' || tokens.length !== 6 || !isText(text)) return false;
  const parts = partsOfName(textOf(text) ?? '') ?? [];
  return parts.length === 2 && parts[0] === schema && parts[1] === name;
}

export function toSequence(counter: Counter): Sequence {
  const { name, type, start, increment, min, max, cache, cycles, next } = counter;
  return {
    name,
    definition: `AS ${type} INCREMENT BY ${increment} MINVALUE ${min} MAXVALUE ${max} START WITH ${start} CACHE ${cache} ${cycles ? 'CYCLE' : 'NO CYCLE'}`,
    next,
  };
}
