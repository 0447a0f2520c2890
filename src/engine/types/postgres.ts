import type { Column, ColumnDecision, ColumnEquality, Finding, SourceDriver } from '../contract.ts';
import { castType, type CastChoice } from './postgres-casts.ts';
import { checked, type PostgresEncoder } from './postgres-encoders.ts';
import { isCommonCollation } from './postgres-expression.ts';
import { holdsText, isCarriedOver, parseTypeName, requiredVersion } from './postgres-types.ts';
import { quotePostgresName } from './sql-text.ts';

type DecisionRequest = Parameters<SourceDriver<unknown>['decideColumn']>[0];

/**
 * `Column.detail` of a PostgreSQL source, all of it text. Types of PostgreSQL's own have no `kind`.
 * `kind`: enum, domain, composite, range, multirange or base; `name`: the type's (of an array: its elements') bare name;
 * `type`: its name in `Catalog.types`, where it is moved; `extension`: what it belongs to; `domainBase`: the type below a domain;
 * `encoding`: SQL_ASCII, where the server knows none; `validates`: `true` where the server can tell valid input;
 * `icuLocale`: of a collation that takes different texts for equal; `collation`: `own` for one that the target need not have.
 */
export type PostgresColumnDetail = Readonly<
  Partial<
    Record<
      | 'kind'
      | 'name'
      | 'type'
      | 'extension'
      | 'domainBase'
      | 'encoding'
      | 'validates'
      | 'icuLocale'
      | 'collation',
      string
    >
  >
>;

interface TypeChoice {
  readonly targetType: string;
  readonly encoder: PostgresEncoder;
  readonly because: string;
  readonly userType?: string;
  readonly equality?: ColumnEquality;
  readonly findings: readonly ColumnFinding[];
}

type ColumnFinding = Pick<Finding, 'severity' | 'code' | 'message'>;

/** The type of a PostgreSQL column in the target: its own wherever the target can have it. Pure. */
export function decideColumn(request: DecisionRequest): ColumnDecision {
  const { table, column, scan, cast } = request;
  const detail: PostgresColumnDetail = column.detail ?? {};
  const natural = chooseType(column, detail);
  const choice =
    cast === undefined ? natural : withCast(natural, castType(column.declaredType, cast, detail));
  const collated =
    choice === natural || choice.encoder === 'same' ? decideCollation(column, detail, choice) : {};
  const mayBeInvalid =
    detail.encoding === 'SQL_ASCII' && holdsText(parseTypeName(choice.targetType));
  const findings = [...choice.findings, ...(collated.findings ?? [])].map((finding) =>
    toFinding(request, finding),
  );
  const equality = choice.equality ?? collated.equality;
  const invalid = scan.facts.invalidUtf8 ?? 0;
  return {
    targetType: choice.targetType,
    encoder: mayBeInvalid ? checked(choice.encoder) : choice.encoder,
    evidence: `declared ${column.declaredType}: ${choice.because} → ${choice.targetType}`,
    holdsNull: (scan.facts.null ?? 0) > 0,
    findings: [
      ...findings,
      ...(invalid === 0
        ? []
        : [
            {
              severity: 'warning' as const,
              code: 'INVALID_UTF8',
              table: table.name,
              column: column.name,
              message: `${String(invalid)} ${invalid === 1 ? 'value is' : 'values are'} no valid UTF-8`,
              count: invalid,
              samples: scan.samples.invalidUtf8 ?? [],
            },
          ]),
    ],
    ...(choice.userType === undefined ? {} : { userType: choice.userType }),
    ...(equality === undefined ? {} : { equality }),
    ...(collated.collation === undefined ? {} : { collation: collated.collation }),
  };
}

function chooseType(column: Column, detail: PostgresColumnDetail): TypeChoice {
  const { declaredType } = column;
  const type = parseTypeName(declaredType);
  const brackets = type.isArray ? '[]' : '';
  if (detail.type !== undefined) {
    return {
      targetType: `${quotePostgresName(detail.type)}${brackets}`,
      encoder: 'same',
      because: `the type is moved too`,
      userType: detail.type,
      findings: [],
    };
  }
  if (detail.kind === undefined) return chooseOwnType(declaredType);
  if (detail.extension === 'citext' && detail.name === 'citext') return chooseCitext(brackets);
  if (detail.extension === 'hstore' && detail.name === 'hstore' && brackets === '') {
    return {
      targetType: 'jsonb',
      encoder: 'hstore',
      because: 'hstore is an extension that the target need not have',
      findings: [
        {
          severity: 'warning',
          code: 'EXTENSION_TYPE',
          message: 'hstore becomes jsonb: use ->> instead of ->',
        },
      ],
    };
  }
  if (detail.kind === 'domain' && detail.domainBase !== undefined) {
    const base = chooseOwnType(`${detail.domainBase}${brackets}`);
    const message = `The domain ${detail.name ?? ''} is not moved: its constraints are lost`;
    return {
      ...base,
      encoder: 'recast',
      because: `a domain that is not moved, over ${detail.domainBase}`,
      findings: [{ severity: 'warning', code: 'DOMAIN_NOT_CARRIED', message }, ...base.findings],
    };
  }
  const origin =
    detail.extension === undefined
      ? 'is not moved'
      : `belongs to the extension ${detail.extension}, which the target need not have`;
  return {
    targetType: `text${brackets}`,
    encoder: 'recast',
    because: `the type ${origin}`,
    findings: [
      {
        severity: 'warning',
        code: detail.extension === undefined ? 'TYPE_AS_TEXT' : 'EXTENSION_TYPE',
        message: `The type ${detail.name ?? declaredType} ${origin}: values become text`,
      },
    ],
  };
}

/** A type of PostgreSQL's own. */
function chooseOwnType(declaredType: string): TypeChoice {
  const type = parseTypeName(declaredType);
  const brackets = type.isArray ? '[]' : '';
  if (type.base === 'money') {
    return {
      targetType: `numeric${brackets}`,
      encoder: 'recast',
      because: 'money means what the server’s locale says',
      findings: [
        {
          severity: 'info',
          code: 'MONEY_AS_NUMERIC',
          message: 'money becomes numeric: the currency sign is lost, the amount is not',
        },
      ],
    };
  }
  if (!isCarriedOver(type)) {
    return {
      targetType: `text${brackets}`,
      encoder: 'recast',
      because: 'its values mean something on their own server only',
      findings: [
        {
          severity: 'warning',
          code: 'TYPE_AS_TEXT',
          message: `${type.base} becomes text: it refers to objects of the source's server`,
        },
      ],
    };
  }
  const version = requiredVersion(type);
  return {
    targetType: declaredType,
    encoder: 'same',
    because: 'the same type',
    findings:
      version === null
        ? []
        : [
            {
              severity: 'warning',
              code: 'TYPE_NEEDS_VERSION',
              message: `${declaredType} needs PostgreSQL ${String(version)} or newer as the target`,
            },
          ],
  };
}

function chooseCitext(brackets: string): TypeChoice {
  return {
    targetType: `text${brackets}`,
    encoder: 'recast',
    because: 'citext is an extension that the target need not have',
    findings: [
      {
        severity: 'warning',
        code: 'EXTENSION_TYPE',
        message:
          'citext becomes text: comparisons take notice of case now, except where a key keeps the rule',
      },
    ],
    ...(brackets === ''
      ? {
          equality: {
            name: 'citext',
            icuLocale: 'und-u-ks-level2',
            ignoresTrailingSpaces: false,
          },
        }
      : {}),
  };
}

function withCast(natural: TypeChoice, cast: CastChoice): TypeChoice {
  if ('reason' in cast) {
    const message = `The cast to ${cast.wish} is not possible: ${cast.reason}`;
    return {
      ...natural,
      findings: [...natural.findings, { severity: 'error', code: 'CAST_NOT_POSSIBLE', message }],
    };
  }
  if (cast.targetType === natural.targetType) return natural;
  return { ...cast, because: 'as the job asks for', findings: [] };
}

interface CollationChoice {
  readonly equality?: ColumnEquality;
  readonly collation?: string;
  readonly findings?: readonly ColumnFinding[];
}

function decideCollation(
  { collation }: Column,
  detail: PostgresColumnDetail,
  { encoder }: TypeChoice,
): CollationChoice {
  if (collation === null || encoder !== 'same') return {};
  if (detail.collation !== 'own' && isCommonCollation(collation)) return { collation };
  if (detail.icuLocale !== undefined) {
    return {
      equality: { name: collation, icuLocale: detail.icuLocale, ignoresTrailingSpaces: false },
    };
  }
  const message = `The collation ${collation} need not exist in the target: the column sorts as the target's database does`;
  return { findings: [{ severity: 'warning', code: 'COLLATION_NOT_CARRIED', message }] };
}

function toFinding({ table, column }: DecisionRequest, finding: ColumnFinding): Finding {
  return { ...finding, table: table.name, column: column.name, count: null, samples: [] };
}
