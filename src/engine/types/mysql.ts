import type { ColumnDecision } from '../contract.ts';
import { castType } from './cast-encoder.ts';
import { canRenderCast } from './mysql-canonical.ts';
import {
  columnFinding,
  count,
  readColumn,
  rows,
  toDecision,
  values,
  type DecisionRequest,
  type ReadColumn,
  type TypeChoice,
} from './mysql-decide.ts';
import { bitWidth, fractionDigits } from './mysql-declared.ts';
import { equalityOf } from './mysql-equality.ts';

/** PostgreSQL cuts names at this many bytes, labels of an enum too. */
const MAX_LABEL_BYTES = 63;
const MAX_VARCHAR = 10_485_760;

/** The PostgreSQL type of a MySQL column: the declaration is a claim, the scan is the fact. Pure. */
export function decideColumn(request: DecisionRequest): ColumnDecision {
  const column = readColumn(request);
  const natural = chooseType(column);
  if (request.cast === undefined) return toDecision(request, natural);
  const wished = chooseCast(column, request.cast, natural);
  if (wished !== null) return toDecision(request, wished);
  const finding = columnFinding(request, {
    severity: 'error',
    code: 'CAST_NOT_POSSIBLE',
    message: `${request.column.declaredType} cannot be cast to ${request.cast}`,
  });
  return toDecision(request, { ...natural, findings: [...(natural.findings ?? []), finding] });
}

function chooseType(column: ReadColumn): TypeChoice {
  switch (column.family) {
    case 'integer':
      return chooseInteger(column);
    case 'year':
      return { targetType: 'smallint', encoder: 'whole', because: '' };
    case 'decimal':
      return chooseDecimal(column);
    case 'float':
      return { targetType: 'real', encoder: 'real', because: '' };
    case 'double':
      return { targetType: 'double precision', encoder: 'double', because: '' };
    case 'bit':
      return chooseBit(column);
    case 'date':
      return { targetType: 'date', encoder: 'date', because: '' };
    case 'datetime':
      return { targetType: withDigits('timestamp', column), encoder: 'timestamp', because: '' };
    case 'timestamp':
      return { targetType: withDigits('timestamptz', column), encoder: 'timestamptz', because: '' };
    case 'time':
      return chooseTime(column);
    case 'text':
      return chooseText(column);
    case 'enum':
      return chooseEnum(column);
    case 'set':
      return chooseSet(column);
    case 'json':
      return chooseJson(column);
    case 'uuid':
      return { targetType: 'uuid', encoder: 'uuid', because: '' };
    case 'binary':
      return { targetType: 'bytea', encoder: 'bytea', because: '' };
    case 'geometry':
      return chooseGeometry(column);
    case 'inet':
    case 'unknown':
      return { targetType: 'text', encoder: 'text', because: 'as the server prints it' };
  }
}

/** The server prints the set of the empty label alone as it prints the empty set. */
function chooseSet(request: ReadColumn): TypeChoice {
  const choice = { targetType: 'text[]', encoder: 'set', because: '' } as const;
  if (!request.declared.labels.includes('')) return choice;
  const message =
    'One of the labels is empty: a value with this label alone arrives as the empty set, which the server prints alike';
  const finding = columnFinding(request, {
    severity: 'warning',
    code: 'SET_EMPTY_LABEL',
    message,
  });
  return { ...choice, findings: [finding] };
}

const SIGNED_TYPES: Readonly<Record<string, string>> = {
  tinyint: 'smallint',
  smallint: 'smallint',
  mediumint: 'integer',
  int: 'integer',
  integer: 'integer',
  bigint: 'bigint',
};
const UNSIGNED_TYPES: Readonly<Record<string, string>> = {
  tinyint: 'smallint',
  smallint: 'integer',
  mediumint: 'integer',
  int: 'bigint',
  integer: 'bigint',
  bigint: 'numeric(20,0)',
};
const BEYOND_BIGINT = 2n ** 63n;

function chooseInteger(request: ReadColumn): TypeChoice {
  const { declared, table, column, scan } = request;
  const isCounter = table.identity?.column === column.name;
  const findings = declared.zerofill
    ? [
        columnFinding(request, {
          severity: 'warning',
          code: 'ZEROFILL',
          message: 'Leading zeros are a way of display only: the numbers are carried over',
        }),
      ]
    : [];
  if (declared.name === 'tinyint' && declared.sizes[0] === 1 && !declared.zerofill && !isCounter) {
    const outside = count(request, 'outsideBoolean');
    return outside === 0
      ? { targetType: 'boolean', encoder: 'boolean', because: 'all values in {0,1}' }
      : { targetType: 'smallint', encoder: 'whole', because: `${rows(outside)} outside {0,1}` };
  }
  const type = (declared.unsigned ? UNSIGNED_TYPES : SIGNED_TYPES)[declared.name] ?? 'bigint';
  if (type.startsWith('numeric') && isCounter) {
    const last = [scan.maxInteger, table.identity.lastValue].map((text) => BigInt(text ?? 0));
    if (last.every((value) => value < BEYOND_BIGINT - 1n))
      return {
        targetType: 'bigint',
        encoder: 'whole',
        because: 'all numbers and the counter are below 2^63',
        findings,
      };
  }
  const because = scan.maxInteger === null ? '' : `greatest is ${scan.maxInteger}`;
  return {
    targetType: type,
    encoder: 'whole',
    because: declared.unsigned ? because : '',
    findings,
  };
}

function chooseDecimal(request: ReadColumn): TypeChoice {
  const [precision = 10, scale = 0] = request.declared.sizes;
  const targetType = `numeric(${String(precision)},${String(scale)})`;
  const findings = request.declared.zerofill
    ? [
        columnFinding(request, {
          severity: 'warning',
          code: 'ZEROFILL',
          message: 'Leading zeros are a way of display only: the numbers are carried over',
        }),
      ]
    : [];
  return { targetType, encoder: 'numeric', because: '', findings };
}

function chooseBit({ declared }: ReadColumn): TypeChoice {
  const width = bitWidth(declared);
  if (width === 1) return { targetType: 'boolean', encoder: 'bitBoolean', because: 'one bit' };
  return { targetType: `bit(${String(width)})`, encoder: 'bit', because: '' };
}

function withDigits(type: string, { declared }: ReadColumn): string {
  return `${type}(${String(fractionDigits(declared))})`;
}

function chooseTime(request: ReadColumn): TypeChoice {
  const outside = count(request, 'outsideDay');
  if (outside > 0)
    return {
      targetType: 'interval',
      encoder: 'interval',
      because: `${values(outside)} outside 00:00:00 to 24:00:00`,
    };
  return {
    targetType: withDigits('time', request),
    encoder: 'time',
    because: 'all values between 00:00:00 and 24:00:00',
  };
}

function chooseText(request: ReadColumn): TypeChoice {
  const { declared, column, scan } = request;
  const [width] = declared.sizes;
  const hasWidth =
    (declared.name === 'char' || declared.name === 'varchar') &&
    width !== undefined &&
    width > 0 &&
    width <= MAX_VARCHAR;
  const suspects = count(request, 'doubleEncoded');
  const findings =
    suspects === 0
      ? []
      : [
          columnFinding(request, {
            severity: 'warning',
            code: 'DOUBLE_ENCODING',
            fact: 'doubleEncoded',
            message: `${rows(suspects)} with text that looks encoded twice: ${request.policies.doubleEncoding === 'repair' ? 'repaired' : 'carried over as it is'}`,
          }),
        ];
  const equality = equalityOf(column.collation);
  return {
    targetType: hasWidth ? `character varying(${String(width)})` : 'text',
    encoder: 'text',
    because: scan.maxLength === null ? '' : `longest has ${String(scan.maxLength)} characters`,
    findings,
    ...(equality === undefined ? {} : { equality }),
  };
}

function chooseEnum({ declared, column }: ReadColumn): TypeChoice {
  const { labels } = declared;
  const isFit =
    labels.length > 0 &&
    labels.every((label) => Buffer.byteLength(label) <= MAX_LABEL_BYTES && !label.includes('\0')) &&
    new Set(labels).size === labels.length;
  if (isFit) return { targetType: 'enum', encoder: 'enum', because: '', enumLabels: labels };
  const equality = equalityOf(column.collation);
  return {
    targetType: 'text',
    encoder: 'enum',
    because: `a label has more than ${String(MAX_LABEL_BYTES)} bytes`,
    allowedValues: labels,
    ...(equality === undefined ? {} : { equality }),
  };
}

function chooseJson(request: ReadColumn): TypeChoice {
  const nul = count(request, 'jsonNul');
  const duplicates = count(request, 'jsonDuplicateKey');
  const other = count(request, 'jsonUnfit');
  const findings = [
    ...(nul === 0
      ? []
      : [
          columnFinding(request, {
            severity: 'warning',
            code: 'JSON_NUL',
            fact: 'jsonNul',
            message: `${rows(nul)} with \\u0000 in JSON: ${request.policies.jsonNul === 'json' ? 'the column becomes json' : 'these rows will be rejected'}`,
          }),
        ]),
    ...(duplicates === 0
      ? []
      : [
          columnFinding(request, {
            severity: 'warning',
            code: 'JSON_DUPLICATE_KEY',
            fact: 'jsonDuplicateKey',
            message: `${rows(duplicates)} with two equal keys in an object: the column becomes json, because jsonb would keep one of them`,
          }),
        ]),
  ];
  const reasons = [
    ...(duplicates > 0 ? [`${rows(duplicates)} with equal keys in an object`] : []),
    ...(nul > 0 && request.policies.jsonNul === 'json' ? [`${rows(nul)} with \\u0000`] : []),
    ...(other > 0 ? [`${rows(other)} beyond what jsonb holds`] : []),
  ];
  return reasons.length === 0
    ? { targetType: 'jsonb', encoder: 'jsonb', because: '', findings }
    : { targetType: 'json', encoder: 'json', because: reasons.join(', '), findings };
}

function chooseGeometry(request: ReadColumn): TypeChoice {
  const finding = columnFinding(request, {
    severity: 'warning',
    code: 'GEOMETRY_AS_BYTES',
    message: 'Carried over as EWKB in bytea: with PostGIS, "column::geometry" reads it',
  });
  return { targetType: 'bytea', encoder: 'geometry', because: 'as EWKB', findings: [finding] };
}

/** The type that the user wishes, or that a foreign key needs; null = it cannot be made of this column. */
function chooseCast(column: ReadColumn, cast: string, natural: TypeChoice): TypeChoice | null {
  const wished = cast.trim().toLowerCase().replace(/\s+/g, ' ');
  const { family, declared } = column;
  const findings = natural.findings ?? [];
  const choice = (targetType: string, encoder: TypeChoice['encoder']): TypeChoice => ({
    targetType,
    encoder,
    because: 'as asked for',
    findings,
    ...(natural.equality === undefined ? {} : { equality: natural.equality }),
  });
  if (wished === natural.targetType) return natural;
  if (wished === 'jsonb')
    return family === 'json' || family === 'text' ? choice('jsonb', 'jsonb') : null;
  if (wished === 'bytea' && (family === 'binary' || family === 'geometry'))
    return choice('bytea', 'bytea');
  const type = castType(cast);
  if (type === null) return null;
  const { targetType } = type;
  switch (type.family) {
    case 'integer':
      if (family === 'integer' || family === 'year') return choice(targetType, 'whole');
      break;
    case 'numeric':
      if (family === 'integer' || family === 'year' || family === 'decimal')
        return choice(targetType, 'numeric');
      break;
    case 'boolean':
      if (family === 'integer') return choice(targetType, 'boolean');
      if (family === 'bit') return bitWidth(declared) === 1 ? natural : null;
      break;
    case 'float':
      if (family === 'float' || family === 'double')
        return choice(targetType, targetType === 'real' ? 'real' : 'double');
      break;
    case 'timestamp':
    case 'timestamptz':
      // A DATETIME has no zone: as a timestamptz it is taken for UTC.
      if (family === 'datetime' || family === 'timestamp')
        return canHoldDigits(targetType, fractionDigits(declared))
          ? choice(targetType, type.family)
          : null;
      break;
    case 'interval':
      return family === 'time' ? choice('interval', 'interval') : null;
    case 'time':
      return family === 'time' && canHoldDigits(targetType, fractionDigits(declared))
        ? choice(targetType, 'time')
        : null;
    case 'uuid':
      if (family === 'binary' && declared.sizes[0] === 16) return choice('uuid', 'uuid');
      break;
    case 'string':
      if (targetType === 'text' && family === 'text') return choice('text', 'text');
      if (family === 'enum') return { ...choice('text', 'enum'), allowedValues: declared.labels };
      break;
    case 'json':
      if (family === 'json' || family === 'text') return choice('json', 'json');
      break;
    case 'bytea':
    case 'date':
    case 'inet':
    case 'jsonb':
      break;
  }
  return canRenderCast(family, targetType) && isReadAsText(family)
    ? choice(targetType, 'cast')
    : null;
}

function isReadAsText(family: ReadColumn['family']): boolean {
  return family === 'text' || family === 'decimal' || family === 'integer';
}

function canHoldDigits(targetType: string, digits: number): boolean {
  const size = /\((\d)\)/.exec(targetType)?.[1];
  return size === undefined || Number(size) >= digits;
}
