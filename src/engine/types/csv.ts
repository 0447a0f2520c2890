import { columnFinding } from './column-finding.ts';
import type { ColumnDecision, Finding } from '../contract.ts';
import { castType } from './cast-encoder.ts';
import { decideDate } from './csv-decide-dates.ts';
import { decideNumber } from './csv-decide-numbers.ts';
import {
  CsvFacts,
  values,
  type CsvEncoderName,
  type CsvFact,
  type DecisionRequest,
  type TypeChoice,
} from './csv-decide.ts';

/**
 * The PostgreSQL type of a column of a file, which declares nothing: a type other than text only where every value is surely of it. One
 * that the user wishes is taken as it is; values that are none of it become rejects. Pure.
 */
export function decideColumn(request: DecisionRequest): ColumnDecision {
  const facts = new CsvFacts(request.scan);
  const natural = chooseType(request, facts);
  const { choice, findings } =
    request.cast === undefined ? { choice: natural, findings: [] } : applyCast(request, natural);
  const nulled = nulledFacts(request, choice);
  return {
    targetType: choice.targetType,
    encoder: choice.encoder,
    evidence: `${choice.because} → ${choice.targetType}`,
    holdsNull: facts.count('null', ...nulled) > 0,
    findings: [
      ...findings,
      ...(choice.findings ?? []),
      ...dateFindings(request, choice),
      ...textFindings(request),
      ...raggedFindings(request),
    ],
  };
}

function chooseType(request: DecisionRequest, facts: CsvFacts): TypeChoice {
  const empty = facts.count('empty');
  if (facts.values === 0)
    return text(empty === 0 ? 'no values' : `${values(empty)} of quoted nothing`);
  const date = decideDate(request, facts);
  if (date !== null) return date;
  if (empty > 0) {
    return text(`${mixture(facts)}, beside ${values(empty)} of quoted nothing`);
  }
  return decideBoolean(facts) ?? decideNumber(request, facts) ?? decideOther(request, facts);
}

/** The words are enough; of the letters both have to be there, or a column of `f` would be one. */
function decideBoolean(facts: CsvFacts): TypeChoice | null {
  const hasBoth = facts.count('letterT') > 0 && facts.count('letterF') > 0;
  if (!facts.only('truth', 'letterT', 'letterF')) return null;
  if (facts.count('truth') === 0 && !hasBoth) return null;
  const because = `all ${values(facts.values)} true or false`;
  return { targetType: 'boolean', encoder: 'plain', family: 'boolean', because };
}

function decideOther(request: DecisionRequest, facts: CsvFacts): TypeChoice {
  for (const family of ['uuid', 'json', 'bytea'] as const) {
    if (!facts.only(family)) continue;
    const because = `all ${values(facts.values)} ${OTHER_NAMES[family]}`;
    return { targetType: family, encoder: 'plain', family, because };
  }
  const longest = `longest has ${String(request.scan.maxLength ?? 0)} characters`;
  if (facts.only('text')) return text(longest);
  const misfits = facts.count('text', 'leadingZero');
  const because = `${mixture(facts)}; ${longest}`;
  // Where nearly all is of another form, somebody expects another type.
  if (misfits === 0 || misfits * 10 > facts.values) return text(because);
  const fact = facts.count('leadingZero') > 0 ? 'leadingZero' : 'text';
  const message = `${mixture(facts)}: kept as text`;
  return {
    ...text(because),
    findings: [
      columnFinding(request, {
        severity: 'info',
        code: 'WIDENED_TO_TEXT',
        fact,
        count: misfits,
        message,
      }),
    ],
  };
}

const OTHER_NAMES = { uuid: 'UUIDs', json: 'JSON', bytea: 'bytes in hex' } as const;

function applyCast(
  request: DecisionRequest,
  natural: TypeChoice,
): { readonly choice: TypeChoice; readonly findings: readonly Finding[] } {
  const wish = request.cast ?? '';
  const type = castType(wish);
  if (type === null) {
    const finding = columnFinding(request, {
      severity: 'error',
      code: 'CAST_NOT_POSSIBLE',
      fact: 'text',
      count: 0,
      message: `Text cannot be cast to ${wish}: ${natural.targetType} is kept`,
    });
    return { choice: natural, findings: [finding] };
  }
  const encoder = castStyle(request, type.family, natural);
  const because = `cast as asked for (else ${natural.targetType}: ${natural.because})`;
  return { choice: { ...type, encoder, because }, findings: [] };
}

const DATED = ['date', 'timestamp', 'timestamptz'] as const;
const NUMBERS = ['integer', 'numeric', 'float'] as const;

/** What the data tells of how dates and numbers are written holds for the type that was asked for too. */
function castStyle(
  request: DecisionRequest,
  family: TypeChoice['family'],
  natural: TypeChoice,
): CsvEncoderName {
  const facts = new CsvFacts(request.scan);
  const { ambiguousDates, ambiguousNumbers } = request.policies;
  if (DATED.some((dated) => dated === family)) {
    if (natural.encoder === 'dayFirst' || natural.encoder === 'monthFirst') return natural.encoder;
    const [days, months] = [facts.count('dayFirst'), facts.count('monthFirst')];
    if (days !== months) return days > months ? 'dayFirst' : 'monthFirst';
    if (ambiguousDates !== 'text') return ambiguousDates === 'dmy' ? 'dayFirst' : 'monthFirst';
  }
  if (NUMBERS.some((number) => number === family)) {
    const commas = facts.count('commaDecimal', 'commaGrouped');
    const points = facts.count('pointDecimal', 'pointGrouped');
    if (commas !== points) return commas > points ? 'decimalComma' : 'plain';
    if (ambiguousNumbers === 'comma') return 'decimalComma';
  }
  return 'plain';
}

function text(because: string): TypeChoice {
  return { targetType: 'text', encoder: 'plain', family: 'string', because };
}

const FORM_NAMES: readonly (readonly [string, readonly CsvFact[]])[] = [
  ['whole numbers', ['integer', 'wholeNumber']],
  [
    'other numbers',
    [
      'pointDecimal',
      'pointGrouped',
      'commaDecimal',
      'commaGrouped',
      'pointOrGroup',
      'commaOrGroup',
      'float',
    ],
  ],
  ['digits after a zero', ['leadingZero']],
  ['true or false', ['truth', 'letterT', 'letterF']],
  [
    'dates',
    [
      'isoDate',
      'isoDateTime',
      'isoDateTimeOffset',
      'dayFirst',
      'monthFirst',
      'dayOrMonth',
      'dayIsMonth',
      'zeroDate',
    ],
  ],
  ['times', ['time']],
  ['UUIDs', ['uuid']],
  ['JSON', ['json']],
  ['bytes in hex', ['bytea']],
  ['other texts', ['text']],
];

/** `98 whole numbers, 2 other texts`. */
function mixture(facts: CsvFacts): string {
  return FORM_NAMES.map(([name, forms]) => [name, facts.count(...forms)] as const)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${String(count)} ${name}`)
    .join(', ');
}

/** Facts whose values a policy makes NULL. */
function nulledFacts({ policies }: DecisionRequest, { family }: TypeChoice): CsvFact[] {
  if (!DATED.some((dated) => dated === family)) return [];
  return [
    ...(policies.emptyDate === 'null' ? (['empty'] as const) : []),
    ...(policies.zeroDate === 'null' ? (['zeroDate'] as const) : []),
    // What is no date is not counted apart: any other text may be.
    ...(policies.invalidDate === 'null' || policies.partialDate === 'null'
      ? (['text'] as const)
      : []),
  ];
}

function dateFindings(request: DecisionRequest, { family }: TypeChoice): Finding[] {
  if (!DATED.some((dated) => dated === family)) return [];
  const { emptyDate, zeroDate } = request.policies;
  const rules = [
    ['empty', 'EMPTY_DATE', 'empty', emptyDate],
    ['zeroDate', 'ZERO_DATE', 'zero-date', zeroDate],
  ] as const;
  return rules.flatMap(([fact, code, name, policy]) => {
    const count = request.scan.facts[fact] ?? 0;
    if (count === 0) return [];
    const outcome = {
      null: 'stored as NULL',
      reject: 'their rows will be rejected',
      sentinel: 'stored as 0001-01-01',
    }[policy];
    const message = `${String(count)} ${name} values: ${outcome}`;
    return [columnFinding(request, { severity: 'warning', code, fact, message })];
  });
}

/** Text that PostgreSQL cannot hold as it is. */
function textFindings(request: DecisionRequest): Finding[] {
  const { nulCharacter, invalidUtf8 } = request.policies;
  const rules = [
    [
      'nul',
      'TEXT_NUL',
      'with a NUL character',
      nulCharacter === 'strip' ? 'the NUL is removed' : 'these rows will be rejected',
    ],
    [
      'invalidUtf8',
      'INVALID_UTF8',
      'whose bytes are no valid text',
      invalidUtf8 === 'cp1252'
        ? 'read as Windows-1252'
        : 'these rows will be rejected; if the file is in another encoding, say so in the connection (encoding: windows-1252)',
    ],
  ] as const;
  return rules.flatMap(([fact, code, what, outcome]) => {
    const count = request.scan.facts[fact] ?? 0;
    if (count === 0) return [];
    const message = `${values(count)} ${what}: ${outcome}`;
    return [columnFinding(request, { severity: 'warning', code, fact, message })];
  });
}

function raggedFindings(request: DecisionRequest): Finding[] {
  const count = request.scan.facts.ragged ?? 0;
  if (count === 0) return [];
  const records = count === 1 ? '1 record' : `${String(count)} records`;
  const message = `${records} with other than ${String(request.table.columns.length)} fields, or with quotes that cannot be read: these rows will be rejected`;
  return [
    columnFinding(request, { severity: 'warning', code: 'RAGGED_ROW', fact: 'ragged', message }),
  ];
}
