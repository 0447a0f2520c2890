import { columnFinding } from './column-finding.ts';
import { values, type CsvFacts, type DecisionRequest, type TypeChoice } from './csv-decide.ts';

/** A number type, where every value is a number in one way of writing; null where that is not so. */
export function decideNumber(request: DecisionRequest, facts: CsvFacts): TypeChoice | null {
  if (facts.only('integer')) {
    const { minInteger, maxInteger } = request.scan;
    const because = `${all(facts)} whole numbers from ${minInteger ?? ''} to ${maxInteger ?? ''}`;
    return { targetType: 'bigint', encoder: 'plain', family: 'integer', because };
  }
  if (facts.only('integer', 'wholeNumber')) {
    const because = `${all(facts)} whole numbers, ${String(facts.count('wholeNumber'))} beyond 64 bits`;
    return numeric('plain', because);
  }
  if (facts.count('float') > 0 && facts.only('float', 'floatSafe')) {
    const because = `${all(facts)} numbers as a double prints them, ${String(facts.count('float'))} with exponent`;
    return { targetType: 'double precision', encoder: 'plain', family: 'float', because };
  }
  const whole = ['integer', 'wholeNumber', 'pointOrGroup', 'commaOrGroup'] as const;
  const withPoint = facts.only(...whole, 'pointDecimal', 'pointGrouped');
  const withComma = facts.only(...whole, 'commaDecimal', 'commaGrouped');
  if (withPoint && withComma) return decideGroups(request, facts);
  if (withPoint) return numeric('plain', `${all(facts)} numbers with a decimal point`);
  return withComma ? numeric('decimalComma', `${all(facts)} numbers with a decimal comma`) : null;
}

/** Nothing tells a fraction from a group. With points alone the text prints back as it is read, so that is what it is. */
function decideGroups(request: DecisionRequest, facts: CsvFacts): TypeChoice {
  const doubtful = facts.count('commaOrGroup');
  if (doubtful === 0) return numeric('plain', `${all(facts)} numbers with a decimal point`);
  const { ambiguousNumbers } = request.policies;
  const outcome =
    ambiguousNumbers === 'text' ? 'kept as text' : `read with a decimal ${ambiguousNumbers}`;
  const because = `${values(doubtful)} like 1,234, which may be a fraction or a group: ${outcome}`;
  const finding = columnFinding(request, {
    severity: 'warning',
    code: 'AMBIGUOUS_NUMBERS',
    fact: 'commaOrGroup',
    message: `${because}; ambiguousNumbers decides`,
  });
  const choice: TypeChoice =
    ambiguousNumbers === 'text'
      ? { targetType: 'text', encoder: 'plain', family: 'string', because }
      : numeric(ambiguousNumbers === 'comma' ? 'decimalComma' : 'plain', because);
  return { ...choice, findings: [finding] };
}

function numeric(encoder: TypeChoice['encoder'], because: string): TypeChoice {
  return { targetType: 'numeric', encoder, family: 'numeric', because };
}

function all(facts: CsvFacts): string {
  return facts.values === 1 ? 'the only value is among' : `all ${values(facts.values)} are`;
}
