import type {
  Column,
  ColumnDecision,
  ColumnScan,
  Finding,
  Policies,
  ReasonCode,
  Table,
} from '../contract.ts';
import { familyOf, parseDeclaredType, type DeclaredType, type Family } from './mysql-declared.ts';
import type { MysqlEncoderName } from './mysql-encoders.ts';

/** What `decideColumn` is asked. */
export interface DecisionRequest {
  readonly table: Table;
  readonly column: Column;
  readonly scan: ColumnScan;
  readonly rows: number;
  readonly policies: Policies;
  readonly cast?: string;
}

/** The type of a column and why, before findings and NULLs are added. */
export interface TypeChoice extends Pick<
  ColumnDecision,
  'enumLabels' | 'allowedValues' | 'equality'
> {
  readonly targetType: string;
  readonly encoder: MysqlEncoderName;
  /** `''` where the declaration alone decides. */
  readonly because: string;
  readonly findings?: readonly Finding[];
}

/** A column whose declaration has been read. */
export interface ReadColumn extends DecisionRequest {
  readonly declared: DeclaredType;
  readonly family: Family;
}

export function readColumn(request: DecisionRequest): ReadColumn {
  const declared = parseDeclaredType(request.column.declaredType);
  return { ...request, declared, family: familyOf(declared) };
}

/** Values that show a fact; zero where none does. */
export function count({ scan }: DecisionRequest, fact: string): number {
  return scan.facts[fact] ?? 0;
}

/** `1 value`, `3 values`. */
export function values(number: number): string {
  return `${String(number)} ${number === 1 ? 'value' : 'values'}`;
}

/** `1 row`, `3 rows`. */
export function rows(number: number): string {
  return `${String(number)} ${number === 1 ? 'row' : 'rows'}`;
}

/** A finding about one column, with the rows that show the fact. */
export function columnFinding(
  request: DecisionRequest,
  finding: Pick<Finding, 'severity' | 'code' | 'message'> & { readonly fact?: string },
): Finding {
  const { table, column, scan } = request;
  const { fact } = finding;
  return {
    severity: finding.severity,
    code: finding.code,
    table: table.name,
    column: column.name,
    message: finding.message,
    count: fact === undefined ? null : count(request, fact),
    samples: fact === undefined ? [] : (scan.samples[fact] ?? []),
  };
}

/** Facts that a policy decides, with what it does. */
interface Ruled {
  readonly fact: string;
  readonly code: ReasonCode;
  readonly what: string;
  readonly outcome: (policies: Policies) => string;
}

const RULED: readonly Ruled[] = [
  { fact: 'zeroDate', code: 'ZERO_DATE', what: '0000-00-00', outcome: ({ zeroDate }) => zeroDate },
  {
    fact: 'partialDate',
    code: 'PARTIAL_DATE',
    what: 'a date without month or day',
    outcome: ({ partialDate }) => partialDate,
  },
  {
    fact: 'invalidDate',
    code: 'INVALID_DATE',
    what: 'a date that is on no calendar',
    outcome: ({ invalidDate }) => invalidDate,
  },
  {
    fact: 'enumError',
    code: 'ENUM_ERROR_VALUE',
    what: 'the error value of ENUM',
    outcome: ({ enumError }) => enumError,
  },
  {
    fact: 'nul',
    code: 'TEXT_NUL',
    what: 'a NUL character',
    outcome: ({ nulCharacter }) => nulCharacter,
  },
  {
    fact: 'unconvertible',
    code: 'INVALID_UTF8',
    what: 'bytes that are no character of the character set',
    outcome: () => 'reject',
  },
  {
    fact: 'tooLarge',
    code: 'VALUE_TOO_LARGE',
    what: 'more than PostgreSQL takes in a field',
    outcome: () => 'reject',
  },
  { fact: 'jsonInvalid', code: 'INVALID_JSON', what: 'no JSON', outcome: () => 'reject' },
];

const OUTCOMES: Readonly<Record<string, string>> = {
  null: 'stored as NULL',
  reject: 'these rows will be rejected',
  sentinel: 'stored as 0001-01-01',
  first: 'stored as the first day of the month or year',
  strip: 'the NUL is removed',
};

/** The choice as a decision: the evidence in one sentence, and whether NULL can arrive. */
export function toDecision(request: DecisionRequest, choice: TypeChoice): ColumnDecision {
  const { because, findings = [], ...chosen } = choice;
  const present = RULED.filter(({ fact }) => count(request, fact) > 0);
  const ruled = present.map(({ fact, code, what, outcome }) => {
    const decided = outcome(request.policies);
    const isKey = request.table.primaryKey?.includes(request.column.name) === true;
    const becomes =
      decided === 'null' && isKey
        ? 'NULL, which a primary key cannot hold: these rows will be rejected'
        : (OUTCOMES[decided] ?? decided);
    const message = `${rows(count(request, fact))} with ${what}: ${becomes}`;
    return columnFinding(request, { severity: 'warning', code, fact, message });
  });
  const isNulled = present.some(({ outcome }) => outcome(request.policies) === 'null');
  const notes = [
    because,
    ...present.map(({ fact, what }) => `${rows(count(request, fact))} with ${what}`),
  ];
  const evidence = notes.filter((note) => note !== '').join(', ');
  const { declaredType } = request.column;
  return {
    ...chosen,
    evidence: `${declaredType}${evidence === '' ? '' : `: ${evidence}`} → ${choice.targetType}`,
    holdsNull: count(request, 'null') > 0 || isNulled,
    findings: [...findings, ...ruled],
  };
}
