import { columnFinding } from './column-finding.ts';
import { values, type CsvFacts, type DecisionRequest, type TypeChoice } from './csv-decide.ts';

/** A date or moment, where every value is one in the same way of writing; null where that is not so. */
export function decideDate(request: DecisionRequest, facts: CsvFacts): TypeChoice | null {
  const iso = facts.count('isoDate', 'isoDateTime');
  const named = facts.count('dayFirst', 'monthFirst', 'dayOrMonth', 'dayIsMonth');
  if (iso > 0 && facts.only('isoDate', 'isoDateTime', 'zeroDate')) {
    const family = facts.count('isoDateTime') > 0 ? 'timestamp' : 'date';
    return { targetType: family, encoder: 'plain', family, because: `${all(facts)} in ISO form` };
  }
  if (facts.count('isoDateTimeOffset') > 0 && facts.only('isoDateTimeOffset', 'zeroDate')) {
    const because = `${all(facts)} in ISO form with offset`;
    return { targetType: 'timestamptz', encoder: 'plain', family: 'timestamptz', because };
  }
  if (facts.only('time')) {
    return {
      targetType: 'time',
      encoder: 'plain',
      family: 'time',
      because: `${all(facts)} times of day`,
    };
  }
  const isDated = facts.only('dayFirst', 'monthFirst', 'dayOrMonth', 'dayIsMonth', 'zeroDate');
  return named > 0 && isDated ? decideOrder(request, facts) : null;
}

/** A day beyond 12 tells for the whole column which part is the day. */
function decideOrder(request: DecisionRequest, facts: CsvFacts): TypeChoice {
  const days = facts.count('dayFirst');
  const months = facts.count('monthFirst');
  if (days > 0 && months > 0) {
    const because = `${values(days)} with the day first, ${values(months)} with the month first`;
    const message = `The column mixes ${because}: kept as text`;
    const fact = days < months ? 'dayFirst' : 'monthFirst';
    return {
      ...text(because),
      findings: [
        columnFinding(request, { severity: 'warning', code: 'MIXED_DATES', fact, message }),
      ],
    };
  }
  if (days > 0) return dated('dayFirst', facts, `${values(days)} with a first part beyond 12`);
  if (months > 0)
    return dated('monthFirst', facts, `${values(months)} with a second part beyond 12`);
  const doubtful = facts.count('dayOrMonth');
  if (doubtful === 0) return dated('dayFirst', facts, 'day and month are the same everywhere');

  const { ambiguousDates } = request.policies;
  const outcome = {
    text: 'kept as text',
    dmy: 'read with the day first',
    mdy: 'read with the month first',
  }[ambiguousDates];
  const because = `${values(doubtful)} like 03/04/2024, of which none tells day from month: ${outcome}`;
  const finding = columnFinding(request, {
    severity: 'warning',
    code: 'AMBIGUOUS_DATES',
    fact: 'dayOrMonth',
    message: `${because}; ambiguousDates decides`,
  });
  const choice =
    ambiguousDates === 'text'
      ? text(because)
      : dated(ambiguousDates === 'dmy' ? 'dayFirst' : 'monthFirst', facts, because);
  return { ...choice, findings: [finding] };
}

function dated(encoder: 'dayFirst' | 'monthFirst', facts: CsvFacts, because: string): TypeChoice {
  const family = facts.count('withTime') > 0 ? 'timestamp' : 'date';
  return { targetType: family, encoder, family, because: `${all(facts)}, ${because}` };
}

function text(because: string): TypeChoice {
  return { targetType: 'text', encoder: 'plain', family: 'string', because };
}

function all(facts: CsvFacts): string {
  return `all ${values(facts.values)} dates`;
}
