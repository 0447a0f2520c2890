import type { Dialect } from './dialect.ts';
import { RecordTokenizer } from './record-tokenizer.ts';

const CANDIDATES = [',', ';', '\t', '|'];
const MAX_RECORDS = 200;

/**
 * The delimiter of which most of the first records hold as many as the first one. A comma where none fits: then there is one
 * column, or whoever knows better has to say.
 */
export function detectDelimiter(
  sample: Uint8Array,
  { isWhole, ...dialect }: Omit<Dialect, 'delimiter'> & { readonly isWhole: boolean },
): string {
  let best = { delimiter: ',', agreeing: 0, fields: 1 };
  for (const delimiter of CANDIDATES) {
    const counts = countFields(sample, { ...dialect, delimiter: Buffer.from(delimiter) }, isWhole);
    const [fields = 1] = counts;
    if (fields < 2) continue;
    const agreeing = counts.filter((count) => count === fields).length / counts.length;
    const isBetter =
      agreeing > best.agreeing || (agreeing === best.agreeing && fields > best.fields);
    if (isBetter) best = { delimiter, agreeing, fields };
  }
  return best.delimiter;
}

function countFields(sample: Uint8Array, dialect: Dialect, isWhole: boolean): number[] {
  const counts: number[] = [];
  const tokenizer = new RecordTokenizer(dialect, 0);
  try {
    tokenizer.push(sample);
    if (isWhole) tokenizer.finish();
    while (counts.length < MAX_RECORDS && tokenizer.next())
      if (!tokenizer.isBlank) counts.push(tokenizer.fieldCount);
  } catch {
    // A quote that is never closed: what came before it tells enough.
  }
  return counts;
}
