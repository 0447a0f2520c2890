import { columnFinding } from './column-finding.ts';
import {
  choose,
  Facts,
  mixture,
  values,
  type DecisionRequest,
  type TypeChoice,
} from './sqlite-decide.ts';
import { decimalModifier } from './sqlite-family.ts';

const LARGEST_EXACT_DOUBLE = 2n ** 53n;

/** Declared INT-like: SQLite's integers have 64 bits whatever the declaration says. */
export function decideInteger(request: DecisionRequest): TypeChoice {
  const facts = new Facts(request.scan);
  if (facts.values === 0) return choose('bigint', 'no values');
  if (facts.only('integer'))
    return choose('bigint', `all ${values(facts.values)} are whole numbers`);
  if (request.policies.typeMismatch === 'reject')
    return keep(request, 'bigint', facts.count('real', 'text', 'blob'));
  if (facts.only('integer', 'real')) return chooseNumber(request);
  if (facts.only('blob')) return choose('bytea', `all ${values(facts.values)} are blobs`);
  if (facts.count('text') === 0)
    return keep(request, facts.count('real') > 0 ? 'numeric' : 'bigint', facts.count('blob'));
  return widenToText(request);
}

/** Declared REAL-like: SQLite's reals have 8 bytes. */
export function decideReal(request: DecisionRequest): TypeChoice {
  const facts = new Facts(request.scan);
  if (facts.values === 0) return choose('double', 'no values');
  if (facts.only('real'))
    return choose('double', `all ${values(facts.values)} are reals of 8 bytes`);
  if (request.policies.typeMismatch === 'reject')
    return keep(request, 'double', facts.count('text', 'blob'));
  if (facts.only('integer', 'real')) return chooseNumber(request);
  if (facts.count('text') === 0) return keep(request, 'double', facts.count('blob'));
  return widenToText(request);
}

/** Declared DECIMAL-like. Text that is a number keeps its digits; what is none is rejected, unless widening is asked for. */
export function decideDecimal(request: DecisionRequest): TypeChoice {
  const { column, scan, policies } = request;
  const facts = new Facts(scan);
  const misfits = facts.count('text') - facts.count('numericText') + facts.count('blob');
  if (misfits > 0 && policies.typeMismatch === 'widen') return widenToText(request);
  if (misfits > 0 && misfits === facts.values)
    return facts.only('blob') ? choose('bytea', mixture(facts)) : widenToText(request);

  const modifier = decimalModifier(column.declaredType);
  const fits = modifier !== null && facts.count('decimalMisfit') === 0;
  const targetType = fits
    ? `numeric(${String(modifier.precision)},${String(modifier.scale)})`
    : 'numeric';
  const size = fits
    ? 'every number fits'
    : modifier === null
      ? mixture(facts)
      : `${values(facts.count('decimalMisfit'))} beyond its precision`;
  const because = misfits > 0 ? `${size}, ${values(misfits, 'non-numeric')} to be rejected` : size;
  return choose('numeric', because, {
    targetType,
    findings: [
      ...floatFinding(request, facts),
      ...mismatchFinding(request, 'notNumeric', misfits, targetType),
    ],
  });
}

/** Declared BOOLEAN: boolean only where every value is one. */
export function decideBoolean(request: DecisionRequest): TypeChoice {
  const facts = new Facts(request.scan);
  if (facts.values === 0) return choose('boolean', 'no values');
  if (facts.only('zeroOrOne', 'booleanWord'))
    return choose('boolean', `all ${values(facts.values)} are 0, 1, true or false`);
  const outside = values(facts.values - facts.count('zeroOrOne', 'booleanWord'));
  if (request.policies.typeMismatch === 'reject') {
    return keep(
      request,
      'boolean',
      facts.values - facts.count('zeroOrOne', 'booleanWord'),
      'notBoolean',
    );
  }
  if (!facts.only('integer'))
    return facts.only('integer', 'real') ? chooseNumber(request) : widenToText(request);
  const isSmall =
    BigInt(request.scan.minInteger ?? 0) >= -32_768n &&
    BigInt(request.scan.maxInteger ?? 0) <= 32_767n;
  return choose(isSmall ? 'smallint' : 'bigint', `${outside} outside {0,1}`, {
    findings: [
      columnFinding(request, {
        severity: 'info',
        code: 'NOT_BOOLEAN',
        fact: 'notBoolean',
        message: `Declared ${request.column.declaredType}, but ${outside} are neither 0 nor 1: kept as whole numbers`,
      }),
    ],
  });
}

/** Whole numbers and reals: a double where that is exact for all of them, else numeric. */
export function chooseNumber(request: DecisionRequest): TypeChoice {
  const { minInteger, maxInteger } = request.scan;
  const facts = new Facts(request.scan);
  if (facts.only('integer'))
    return choose('bigint', `all ${values(facts.values)} are whole numbers`);
  const isExact =
    BigInt(minInteger ?? 0) >= -LARGEST_EXACT_DOUBLE &&
    BigInt(maxInteger ?? 0) <= LARGEST_EXACT_DOUBLE;
  if (isExact) return choose('double', `${mixture(facts)}, every whole number within 2^53`);
  return choose('numeric', `${mixture(facts)}, whole numbers beyond 2^53`);
}

/** Text among numbers: all become text, as SQLite writes them. */
export function widenToText(request: DecisionRequest): TypeChoice {
  const facts = new Facts(request.scan);
  const numbers = facts.count('integer', 'real');
  const note =
    numbers > 0
      ? `, ${numbers === 1 ? '1 number' : `${String(numbers)} numbers`} as SQLite writes them`
      : '';
  const fact = facts.count('text') > 0 ? 'text' : 'blob';
  return choose('text', `${mixture(facts)}${note}`, {
    findings: [
      columnFinding(request, {
        severity: 'warning',
        code: 'WIDENED_TO_TEXT',
        fact,
        message: `Declared ${request.column.declaredType || 'without a type'}, but holds ${mixture(facts)}: widened to text`,
      }),
    ],
  });
}

/** The declared type stays, and values of another kind will be rejected. */
function keep(
  request: DecisionRequest,
  encoder: 'bigint' | 'double' | 'boolean' | 'numeric',
  misfits: number,
  fact = 'text',
): TypeChoice {
  const choice = choose(
    encoder,
    `${mixture(new Facts(request.scan))}, those of another kind to be rejected`,
  );
  return { ...choice, findings: mismatchFinding(request, fact, misfits, choice.targetType) };
}

function mismatchFinding(
  request: DecisionRequest,
  fact: string,
  count: number,
  targetType: string,
): ReturnType<typeof columnFinding>[] {
  if (count === 0) return [];
  const message = `${values(count)} no ${targetType}: these rows will be rejected`;
  return [
    columnFinding(request, { severity: 'warning', code: 'TYPE_MISMATCH', fact, count, message }),
  ];
}

function floatFinding(request: DecisionRequest, facts: Facts): ReturnType<typeof columnFinding>[] {
  const reals = facts.count('real');
  if (reals === 0) return [];
  const message = `SQLite has stored ${values(reals)} of ${request.column.declaredType} as binary floating point: digits beyond the 15th were lost there`;
  return [
    columnFinding(request, {
      severity: 'info',
      code: 'DECIMAL_STORED_AS_FLOAT',
      fact: 'real',
      message,
    }),
  ];
}
