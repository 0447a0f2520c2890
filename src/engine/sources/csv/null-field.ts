import type { FileFormat } from './file-format.ts';
import type { RecordTokenizer } from './record-tokenizer.ts';

/** The NULL text, not quoted. */
export function isNullField(
  record: RecordTokenizer,
  field: number,
  { nullText }: FileFormat,
): boolean {
  if (record.isQuoted(field)) return false;
  const start = record.start(field);
  if (record.end(field) - start !== nullText.length) return false;
  for (let index = 0; index < nullText.length; index++)
    if (record.bytes[start + index] !== nullText[index]) return false;
  return true;
}
