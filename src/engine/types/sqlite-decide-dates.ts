import { columnFinding } from './column-finding.ts';
import type { Finding } from '../contract.ts';
import {
  choose,
  Facts,
  mixture,
  values,
  type DecisionRequest,
  type TypeChoice,
  type TypedEncoderName,
} from './sqlite-decide.ts';
import { chooseNumber } from './sqlite-decide-numbers.ts';
import { JULIAN_DAYS } from './sqlite-dates.ts';
import { familyOf } from './sqlite-family.ts';

/** Ways to name a moment that are not to be mixed, each with the number of values that use it. */
interface DateGroups {
  readonly naive: number;
  readonly offset: number;
  readonly time: number;
  readonly seconds: number;
  readonly milliseconds: number;
  readonly julian: number;
}

/** Declared DATE, DATETIME, TIMESTAMP or TIME: what the values really are decides. */
export function decideDate(request: DecisionRequest): TypeChoice {
  const facts = new Facts(request.scan);
  const groups = groupValues(request);
  const dates = sumOf(groups);
  const considered = facts.values - facts.count('emptyText', 'zeroDate', 'partialDate');
  if (considered === 0)
    return withPolicies(
      request,
      choose(declaredEncoder(request), facts.values === 0 ? 'no values' : 'no dates in it'),
      0,
    );
  if (facts.count('finerThanMicrosecond') > 0) {
    return choose(
      'text',
      `${values(facts.count('finerThanMicrosecond'))} finer than a microsecond, which no timestamp holds`,
    );
  }
  if (dates * 2 < considered) return notDates(request, dates, considered);

  const present = Object.entries(groups).filter(([, count]) => count > 0);
  const [only] = present;
  if (present.length > 1 || only === undefined) return mixedDates(request, groups);
  const encoder = encoderOf(only[0] as keyof DateGroups, request);
  return withPolicies(
    request,
    choose(
      encoder,
      `${String(dates)} of ${values(considered)} ${GROUP_NAMES[only[0] as keyof DateGroups]}`,
    ),
    considered - dates,
  );
}

const GROUP_NAMES: Readonly<Record<keyof DateGroups, string>> = {
  naive: 'in ISO form without offset',
  offset: 'in ISO form with offset',
  time: 'a time of day',
  seconds: 'seconds since 1970',
  milliseconds: 'milliseconds since 1970',
  julian: 'Julian days',
};

function groupValues({ scan }: DecisionRequest): DateGroups {
  const facts = new Facts(scan);
  const julian = facts.count('julianDay');
  const hasNoons =
    facts.only('julianDay', 'smallInteger') &&
    Number(scan.minInteger ?? 0) >= JULIAN_DAYS.from &&
    Number(scan.maxInteger ?? 0) < JULIAN_DAYS.to;
  const seconds = facts.count('epochSeconds');
  return {
    naive: facts.count('isoDate', 'isoDateTime'),
    offset: facts.count('isoDateTimeOffset'),
    time: facts.count('timeOfDay'),
    // 0 and moments before 1973 only count where the column plainly counts seconds.
    seconds:
      seconds > 0 && facts.only('epochSeconds', 'smallInteger')
        ? seconds + facts.count('smallInteger')
        : seconds,
    milliseconds: facts.count('epochMilliseconds'),
    // SQLite stores a Julian day without fraction, which is a noon, as a whole number.
    julian: julian > 0 && hasNoons ? julian + facts.count('smallInteger') : julian,
  };
}

function sumOf(groups: DateGroups): number {
  return Object.values<number>({ ...groups }).reduce((sum, count) => sum + count, 0);
}

function declaredEncoder({ column }: DecisionRequest): TypedEncoderName {
  const family = familyOf(column.declaredType);
  if (family === 'date' || family === 'time') return family;
  return /TZ|ZONE/i.test(column.declaredType) ? 'timestamptz' : 'timestamp';
}

function encoderOf(group: keyof DateGroups, request: DecisionRequest): TypedEncoderName {
  switch (group) {
    case 'naive': {
      const hasTimes = (request.scan.facts.isoDateTime ?? 0) > 0;
      return familyOf(request.column.declaredType) === 'date' && !hasTimes ? 'date' : 'timestamp';
    }
    case 'offset':
      return 'timestamptz';
    case 'time':
      return 'time';
    case 'seconds':
      return 'timestamptzFromSeconds';
    case 'milliseconds':
      return 'timestamptzFromMilliseconds';
    case 'julian':
      return 'timestampFromJulianDay';
  }
}

function notDates(request: DecisionRequest, dates: number, considered: number): TypeChoice {
  const facts = new Facts(request.scan);
  const because = `only ${String(dates)} of ${values(considered)} dates`;
  if (facts.only('integer', 'real')) return chooseNumber(request);
  const message = `Declared ${request.column.declaredType}, but ${because} (${mixture(facts)}): kept as text`;
  return choose('text', `${because} (${mixture(facts)})`, {
    findings: [
      columnFinding(request, {
        severity: 'warning',
        code: 'NOT_DATES',
        fact: 'invalidDate',
        message,
      }),
    ],
  });
}

function mixedDates(request: DecisionRequest, groups: DateGroups): TypeChoice {
  const facts = new Facts(request.scan);
  const named = Object.entries(groups)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${String(count)} ${GROUP_NAMES[name as keyof DateGroups]}`)
    .join(', ');
  const converts = request.policies.mixedDates === 'convert' && groups.time === 0;
  const finding = columnFinding(request, {
    severity: 'warning',
    code: 'MIXED_DATES',
    fact: 'epochSeconds',
    count: facts.values,
    message: `The column mixes ways to write a date (${named}): ${converts ? 'converted value by value' : 'kept as text'}`,
  });
  if (!converts) return choose('text', `mixes ${named}`, { findings: [finding] });
  const isInstant = groups.offset + groups.seconds + groups.milliseconds > 0;
  const choice = choose(isInstant ? 'mixedTimestamptz' : 'mixedTimestamp', `mixes ${named}`, {
    findings: [finding],
  });
  const unusable =
    facts.values - facts.count('emptyText', 'zeroDate', 'partialDate') - sumOf(groups);
  return withPolicies(request, choice, unusable);
}

const RULE_NAMES = {
  emptyText: 'empty',
  zeroDate: 'zero-date',
  partialDate: 'without a day or month',
  invalidDate: 'invalid',
} as const;

const OUTCOMES = {
  null: 'stored as NULL',
  reject: 'their rows will be rejected',
  sentinel: 'stored as 0001-01-01',
  first: 'stored as the first day of the month or year',
} as const;

/** What the policies do with the values of a date column that are none. */
function withPolicies(request: DecisionRequest, choice: TypeChoice, invalid: number): TypeChoice {
  const { policies } = request;
  const facts = new Facts(request.scan);
  const findings: Finding[] = [...(choice.findings ?? [])];
  const nulledFacts: string[] = [];
  const rules = [
    ['emptyText', 'EMPTY_DATE', policies.emptyDate, facts.count('emptyText')],
    ['zeroDate', 'ZERO_DATE', policies.zeroDate, facts.count('zeroDate')],
    ['partialDate', 'PARTIAL_DATE', policies.partialDate, facts.count('partialDate')],
    ['invalidDate', 'INVALID_DATE', policies.invalidDate, invalid],
  ] as const;
  for (const [fact, code, policy, count] of rules) {
    if (count === 0) continue;
    const message = `${values(count, RULE_NAMES[fact])}: ${OUTCOMES[policy]}`;
    findings.push(columnFinding(request, { severity: 'warning', code, fact, count, message }));
    if (policy === 'null') nulledFacts.push(fact);
  }
  if (invalid > 0 && policies.invalidDate === 'null')
    nulledFacts.push('otherNumber', 'smallInteger', 'blob');
  return { ...choice, nulledFacts, findings };
}
