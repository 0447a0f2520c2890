import { isUtf8 } from 'node:buffer';
import type {
  EncodedRow,
  PlannedColumn,
  PlannedTable,
  Policies,
  ReasonCode,
  RowProblem,
  SourceValue,
} from '../contract.ts';
import { castEncoder, castType, PLAIN_STYLE } from './cast-encoder.ts';
import { CopyBuffer } from './copy-text.ts';
import { decodeCp1252 } from './cp1252.ts';
import { jsonbText } from './jsonb-text.ts';

/**
 * One mended row as a line for COPY. Values are PostgreSQL's own texts: the target refuses what is none of the column's type.
 */
export function encodeRow({
  table,
  row,
  policies,
}: {
  readonly table: PlannedTable;
  readonly row: Readonly<Record<string, SourceValue>>;
  readonly policies: Policies;
}): EncodedRow {
  const out = new CopyBuffer(1024);
  const adjustments: { readonly column: string; readonly rule: ReasonCode }[] = [];
  const columns = table.columns.filter(({ generatedExpression }) => generatedExpression === null);
  for (const column of columns) {
    const value = Object.hasOwn(row, column.source) ? (row[column.source] ?? null) : null;
    const rules: ReasonCode[] = [];
    const found = write(column, value, {
      out,
      rules,
      policies: { ...policies, ...column.policies },
    });
    if (found !== null) return { problem: { ...found, column: column.source } };
    adjustments.push(...rules.map((rule) => ({ column: column.source, rule })));
    out.endField();
  }
  out.endLine(columns.length > 0);
  return { line: out.bytes.subarray(0, out.length), adjustments };
}

function write(
  column: PlannedColumn,
  value: SourceValue,
  {
    out,
    rules,
    policies,
  }: { readonly out: CopyBuffer; readonly rules: ReasonCode[]; readonly policies: Policies },
): Omit<RowProblem, 'column'> | null {
  if (value === null) {
    if (!column.nullable)
      return { reasonCode: 'NULL_NOT_ALLOWED', message: 'NULL in a column that takes none' };
    out.writeNull();
    return null;
  }
  const bytes =
    'value' in value ? Buffer.from(value.value, 'utf8') : Buffer.from(value.base64, 'base64');
  if (value.type === 'blob' && column.targetType === 'bytea') {
    out.writeBytea(bytes);
    return null;
  }
  const text = withoutNul(bytes, { rules, policies });
  if (text === null) return { reasonCode: 'TEXT_NUL', message: 'The text holds a NUL character' };
  if (isUtf8(text)) {
    out.writeUtf8(Buffer.from(printed(text.toString('utf8'), column.targetType), 'utf8'));
    return null;
  }
  const decoded = policies.invalidUtf8 === 'cp1252' ? decodeCp1252(text) : null;
  if (decoded === null)
    return { reasonCode: 'INVALID_UTF8', message: 'The bytes of the text are no valid UTF-8' };
  rules.push('INVALID_UTF8');
  out.writeUtf8(decoded);
  return null;
}

/**
 * As the target will print it: a replayed row only counts where it does. What cannot be told here (a type of the user's own, a
 * value that is none of the type) goes as it is, and the target decides.
 */
function printed(text: string, targetType: string): string {
  if (targetType === 'jsonb') {
    const rendered = jsonbText(text);
    return 'text' in rendered ? rendered.text : text;
  }
  const type = castType(targetType);
  if (type === null) return text;
  const rendered = castEncoder(type, PLAIN_STYLE)(text);
  return typeof rendered === 'string' ? rendered : text;
}

function withoutNul(
  bytes: Buffer,
  { rules, policies }: { readonly rules: ReasonCode[]; readonly policies: Policies },
): Buffer | null {
  if (!bytes.includes(0)) return bytes;
  if (policies.nulCharacter === 'reject') return null;
  rules.push('TEXT_NUL');
  return Buffer.from(bytes.filter((byte) => byte !== 0));
}
