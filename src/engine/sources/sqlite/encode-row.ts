import type { EncodedRow, PlannedTable, Policies, SourceValue } from '../../contract.ts';
import { isUtf8 } from 'node:buffer';
import type { Cell } from '../../types/sqlite-cells.ts';
import { BatchBuilder } from './batch-builder.ts';
import { MAX_LINE_BYTES, RowEncoder } from './row-encoder.ts';

/**
 * One row that is given and not read, encoded as `readChunk` would encode it. Each value first becomes what SQLite would have
 * stored in its column: text that is a number becomes one in a numeric column, a number becomes text in a text column.
 */
export function encodeRow(request: {
  readonly table: PlannedTable;
  readonly row: Readonly<Record<string, SourceValue>>;
  readonly policies: Policies;
}): EncodedRow {
  const { table, row, policies } = request;
  const columns = table.columns.filter((column) => column.generatedExpression === null);
  const encoder = new RowEncoder(table, columns, {
    policies,
    keyColumns: table.rowKey,
    maxLineBytes: MAX_LINE_BYTES,
    guarded: true,
    describes: true,
  });
  const cells = columns.map(({ source, declaredType }) =>
    applyAffinity(cellOf(Object.hasOwn(row, source) ? (row[source] ?? null) : null), declaredType),
  );
  const batch = new BatchBuilder();
  encoder.encodeExact({ cells, locator: '', rowid: null }, batch);
  const { lines, rejects, described } = batch.take();
  const [reject] = rejects;
  if (reject !== undefined) {
    const { column, reasonCode, message } = reject;
    return { problem: { column, reasonCode, message } };
  }
  return { line: lines, adjustments: described?.[0]?.adjustments ?? [] };
}

function cellOf(value: SourceValue): Cell {
  if (value === null) return { type: 'null' };
  if ('base64' in value) {
    const bytes = Buffer.from(value.base64, 'base64');
    return value.type === 'text'
      ? { type: 'text', bytes, isValid: isUtf8(bytes) }
      : { type: 'blob', bytes };
  }
  switch (value.type) {
    case 'integer':
      return integerCell(value.value);
    case 'real':
      return { type: 'real', value: Number(value.value), text: printReal(Number(value.value)) };
    case 'text':
      return { type: 'text', bytes: Buffer.from(value.value, 'utf8'), isValid: true };
  }
}

const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 63n - 1n;

/** Whole numbers beyond 64 bits are reals to SQLite. */
function integerCell(text: string): Cell {
  const value = BigInt(text);
  if (value >= MIN_INTEGER && value <= MAX_INTEGER) return { type: 'integer', value };
  return { type: 'real', value: Number(value), text: printReal(Number(value)) };
}

/** The rules of "Determination Of Column Affinity", https://sqlite.org/datatype3.html. */
function applyAffinity(cell: Cell, declaredType: string): Cell {
  const type = declaredType.toUpperCase();
  if (type.includes('INT')) return toNumber(cell);
  if (/CHAR|CLOB|TEXT/.test(type)) return toText(cell);
  if (type === '' || type.includes('BLOB')) return cell;
  if (/REAL|FLOA|DOUB/.test(type)) return toReal(toNumber(cell));
  return toNumber(cell);
}

const NUMBER = /^[ \t\n\v\f\r]*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)[ \t\n\v\f\r]*$/i;

function toNumber(cell: Cell): Cell {
  if (cell.type !== 'text') return cell;
  const [, digits] = NUMBER.exec(Buffer.from(cell.bytes).toString('latin1')) ?? [];
  if (digits === undefined) return cell;
  if (/^[+-]?\d+$/.test(digits)) return integerCell(digits.replace(/^\+/, ''));
  const value = Number(digits);
  return Number.isSafeInteger(value) && !Object.is(value, -0)
    ? { type: 'integer', value: BigInt(value) }
    : { type: 'real', value, text: printReal(value) };
}

function toReal(cell: Cell): Cell {
  if (cell.type !== 'integer') return cell;
  const value = Number(cell.value);
  return { type: 'real', value, text: printReal(value) };
}

function toText(cell: Cell): Cell {
  if (cell.type !== 'integer' && cell.type !== 'real') return cell;
  const text = cell.type === 'integer' ? String(cell.value) : printReal(cell.value);
  return { type: 'text', bytes: Buffer.from(text, 'latin1'), isValid: true };
}

/** A real as SQLite casts it to text: 15 digits, always with a point. */
function printReal(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'Inf' : '-Inf';
  const exponent = value === 0 ? 0 : Number(value.toExponential(14).split('e')[1]);
  if (exponent < -4 || exponent >= 15) {
    const [digits = '', power = ''] = value.toExponential(14).split('e');
    const trimmed = digits.replace(/0+$/, '').replace(/\.$/, '.0');
    const sign = power.startsWith('-') ? '-' : '+';
    return `${trimmed}e${sign}${power.replace(/^[+-]/, '').padStart(2, '0')}`;
  }
  const fixed = value.toFixed(Math.max(0, 14 - exponent));
  const trimmed = fixed.includes('.') ? fixed.replace(/0+$/, '') : `${fixed}.`;
  return trimmed.endsWith('.') ? `${trimmed}0` : trimmed;
}
