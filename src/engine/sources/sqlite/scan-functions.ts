import { isUtf8 } from 'node:buffer';
import type { DatabaseSync } from 'node:sqlite';

import { numericText, OUT_OF_RANGE } from '../../types/numeric-text.ts';
import { decodeUtf8, textCell, type TextEncoding } from '../../types/sqlite-cells.ts';
import { sqliteDateForm } from '../../types/sqlite-dates.ts';

/** Nothing in the file's own schema may call them. */
const OPTIONS = { deterministic: true, directOnly: true } as const;

/** What SQLite's SQL cannot tell of a value. Text comes as bytes: a string would hide what is no valid UTF-8. */
export function registerScanFunctions(db: DatabaseSync, encoding: TextEncoding): void {
  const decode = (bytes: unknown): string | null => {
    const cell = textCell(bytes as Uint8Array, encoding);
    return cell.type === 'text' && cell.isValid ? decodeUtf8(cell.bytes) : null;
  };
  db.function('hub_is_text', OPTIONS, (bytes) => {
    const isText = encoding === 'UTF-8' ? isUtf8(bytes as Uint8Array) : decode(bytes) !== null;
    return isText ? 1 : 0;
  });
  db.function('hub_is_numeric', OPTIONS, (bytes) => {
    const text = decode(bytes);
    return text !== null && numericText(text, null) !== null ? 1 : 0;
  });
  db.function('hub_exceeds_decimal', OPTIONS, (value, precision, scale) => {
    const text =
      value instanceof Uint8Array ? decode(value) : value === null ? null : String(value);
    if (text === null) return 0;
    return numericText(text, { precision: Number(precision), scale: Number(scale) }) ===
      OUT_OF_RANGE || text.includes('Inf')
      ? 1
      : 0;
  });
  db.function('hub_date_form', OPTIONS, (type, value) => sqliteDateForm(String(type), value));
  db.aggregate('hub_date_forms', {
    directOnly: true,
    // The accumulator never leaves JavaScript; the declared type knows values of SQL only.
    start: (() => new Map<string, number>()) as unknown as () => null,
    step: ((counts: Map<string, number>, form: string) =>
      counts.set(form, (counts.get(form) ?? 0) + 1)) as unknown as () => null,
    result: ((counts: Map<string, number>) =>
      JSON.stringify(Object.fromEntries(counts))) as unknown as () => string,
  });
}
