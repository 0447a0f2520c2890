import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import {
  Op,
  type Attributes,
  type Includeable,
  type Model,
  type ModelStatic,
  type WhereOptions,
} from 'sequelize';

import { AppError } from '../errors/app-error.ts';

type KeyType = 'moment' | 'uuid' | 'integer';
type KeyValue = string | number;

/** An order in which rows can be read page by page: the attributes together are unique and never change. */
export interface PageOrder {
  readonly direction: 'ASC' | 'DESC';
  readonly keys: readonly { readonly attribute: string; readonly type: KeyType }[];
}

/** `created_at`, `id` descending. */
export const NEWEST_FIRST: PageOrder = {
  direction: 'DESC',
  keys: [
    { attribute: 'createdAt', type: 'moment' },
    { attribute: 'id', type: 'uuid' },
  ],
};
/** `at`, `id` descending. */
export const LATEST_FIRST: PageOrder = {
  direction: 'DESC',
  keys: [
    { attribute: 'at', type: 'moment' },
    { attribute: 'id', type: 'uuid' },
  ],
};
/** `seq` ascending. */
export const BY_SEQ: PageOrder = {
  direction: 'ASC',
  keys: [{ attribute: 'seq', type: 'integer' }],
};
/** `id` ascending, which is about the order of creation. */
export const BY_ID: PageOrder = { direction: 'ASC', keys: [{ attribute: 'id', type: 'uuid' }] };
/** `position`, `id` ascending. */
export const BY_POSITION: PageOrder = {
  direction: 'ASC',
  keys: [
    { attribute: 'position', type: 'integer' },
    { attribute: 'id', type: 'uuid' },
  ],
};

export interface PageRequest<M extends Model> {
  /** Every page of one reading needs the same: no condition on the current time in it, or the cursor is refused. */
  readonly where?: WhereOptions<Attributes<M>>;
  readonly order: PageOrder;
  /** Rows a page, at least 1. */
  readonly limit: number;
  /** `nextCursor` of the page before; absent or null = the first page. */
  readonly cursor?: string | null | undefined;
  readonly include?: Includeable[];
}

export interface Page<M> {
  readonly rows: M[];
  /** null = this was the last page. */
  readonly nextCursor: string | null;
}

const CURSOR_VERSION = 1;
const LONGEST_CURSOR = 512;
const KEY_PATTERNS: Readonly<Record<KeyType, (value: unknown) => value is KeyValue>> = {
  moment: (value): value is string =>
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) &&
    !Number.isNaN(Date.parse(value)),
  uuid: (value): value is string =>
    typeof value === 'string' && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value),
  integer: (value): value is number => Number.isSafeInteger(value),
};

/**
 * One page of rows, continued by key and not by counting: rows that come in or go meanwhile shift nothing, so no row that was
 * there from the beginning is left out or given twice. Reads `limit + 1` rows. Scopes of the model apply.
 * @throws AppError INVALID_CURSOR for one that is damaged, forged, or from another model, order or filter.
 */
export async function findPage<M extends Model>(
  model: ModelStatic<M>,
  request: PageRequest<M>,
): Promise<Page<M>> {
  const { where = {}, order, limit, cursor, include } = request;
  const fingerprint = fingerprintOf(model, where, order);
  const after = typeof cursor === 'string' ? decodeCursor(cursor, fingerprint, order) : null;

  const found = await model.findAll({
    where: after
      ? ({ [Op.and]: [where, conditionAfter(after, order)] } as WhereOptions<Attributes<M>>)
      : where,
    order: order.keys.map(({ attribute }) => [attribute, order.direction]),
    limit: limit + 1,
    ...(include ? { include } : {}),
  });

  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return {
    rows,
    nextCursor: last && found.length > limit ? encodeCursor(last, fingerprint, order) : null,
  };
}

/** `a <= x AND (a < x OR (a = x AND b < y))`: the first term lets the index find the place, where the OR alone would not. */
function conditionAfter(values: readonly KeyValue[], order: PageOrder): WhereOptions {
  const [beyond, from] = order.direction === 'ASC' ? [Op.gt, Op.gte] : [Op.lt, Op.lte];
  const equalSoFar: Record<string, unknown>[] = [];
  const alternatives = order.keys.map(({ attribute }, index) => {
    const alternative = { [Op.and]: [...equalSoFar, { [attribute]: { [beyond]: values[index] } }] };
    equalSoFar.push({ [attribute]: values[index] });
    return alternative;
  });
  const first = order.keys[0];
  return {
    [Op.and]: [
      ...(first ? [{ [first.attribute]: { [from]: values[0] } }] : []),
      { [Op.or]: alternatives },
    ],
  };
}

function encodeCursor(row: Model, fingerprint: string, order: PageOrder): string {
  const values = order.keys.map(({ attribute }) => {
    const value: unknown = row.get(attribute);
    return value instanceof Date ? value.toISOString() : value;
  });
  return Buffer.from(JSON.stringify([CURSOR_VERSION, fingerprint, ...values])).toString(
    'base64url',
  );
}

function decodeCursor(cursor: string, fingerprint: string, order: PageOrder): KeyValue[] {
  const parts = parseCursor(cursor);
  const [version, from, ...values] = parts;
  if (version !== CURSOR_VERSION || from !== fingerprint || values.length !== order.keys.length)
    throw invalidCursor();

  return order.keys.map(({ type }, index) => {
    const value = values[index];
    if (!KEY_PATTERNS[type](value)) throw invalidCursor();
    return value;
  });
}

function parseCursor(cursor: string): unknown[] {
  if (cursor.length > LONGEST_CURSOR) throw invalidCursor();
  const bytes = Buffer.from(cursor, 'base64url');
  // Node skips what is no base64url: only what encodes back to itself was one.
  if (bytes.toString('base64url') !== cursor) throw invalidCursor();
  try {
    const parsed: unknown = JSON.parse(bytes.toString());
    if (Array.isArray(parsed)) return parsed;
  } catch (error) {
    throw invalidCursor(error);
  }
  throw invalidCursor();
}

/** Binds a cursor to what it continues: with another filter it would silently leave rows out. It guards no secret: `where` does. */
function fingerprintOf(model: ModelStatic<Model>, where: unknown, order: PageOrder): string {
  const text = inspect([model.name, where, order], {
    depth: null,
    maxArrayLength: null,
    maxStringLength: null,
    sorted: true,
  });
  return createHash('sha256').update(text).digest('base64url').slice(0, 11);
}

function invalidCursor(cause?: unknown): AppError {
  return new AppError('INVALID_CURSOR', { field: 'cursor' }, { cause });
}
