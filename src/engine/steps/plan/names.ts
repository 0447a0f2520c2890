import { createHash } from 'node:crypto';
import { AppError } from '../../../errors/app-error.ts';
import type { JobOptions, Table } from '../../contract.ts';

/** NAMEDATALEN − 1: PostgreSQL cuts longer names silently, which makes two of them one. */
const MAX_BYTES = 63;
const HASH_LENGTH = 8;

/** Columns that every table of PostgreSQL has already. */
const SYSTEM_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);

export type NamingOptions = Pick<JobOptions, 'identifiers' | 'rename'>;

/** Source table → name in the target. Throws IDENTIFIER_COLLISION. */
export function nameTables(
  tables: readonly Table[],
  options: NamingOptions,
): ReadonlyMap<string, string> {
  return nameAll(
    tables.map(({ name }, index) => ({
      source: name,
      wish: renamed(name, options) ?? foldName(name, options, `table_${String(index + 1)}`),
    })),
  );
}

/** Source column → name in the target. Throws IDENTIFIER_COLLISION. */
export function nameColumns(table: Table, options: NamingOptions): ReadonlyMap<string, string> {
  return nameAll(
    table.columns.map(({ name }, index) => ({
      source: name,
      wish:
        renamed(`${table.name}.${name}`, options) ??
        columnName(foldName(name, options, `column_${String(index + 1)}`)),
    })),
    `${table.name}.`,
  );
}

/** Names of indexes and constraints: unique in the schema, by a number at the end where the wish is taken. */
export class ObjectNames {
  readonly #taken: Set<string>;

  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken);
  }

  /** A free name made of `parts`, e.g. `orders_customer_id_fkey`. */
  claim(...parts: readonly string[]): string {
    const wish = parts.join('_');
    for (let attempt = 0; ; attempt += 1) {
      const name = cutIdentifier(attempt === 0 ? wish : `${wish}_${String(attempt)}`);
      if (this.#taken.has(name)) continue;
      this.#taken.add(name);
      return name;
    }
  }
}

/** At most 63 bytes, cut between characters, a longer name with a hash of the whole at its end. */
export function cutIdentifier(name: string): string {
  if (Buffer.byteLength(name) <= MAX_BYTES) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_LENGTH);
  let head = '';
  for (const character of name) {
    if (Buffer.byteLength(head + character) > MAX_BYTES - HASH_LENGTH - 1) break;
    head += character;
  }
  return `${head}_${hash}`;
}

function nameAll(
  names: readonly { source: string; wish: string }[],
  prefix = '',
): ReadonlyMap<string, string> {
  const sources = new Map<string, string[]>();
  const result = new Map<string, string>();
  for (const { source, wish } of names) {
    const target = cutIdentifier(wish);
    sources.set(target, [...(sources.get(target) ?? []), source]);
    result.set(source, target);
  }
  for (const [target, colliding] of sources) {
    if (colliding.length === 1) continue;
    throw new AppError('IDENTIFIER_COLLISION', {
      names: colliding.map((name) => prefix + name),
      target,
      field: 'options.rename',
    });
  }
  return result;
}

/** Own members only: a table may be called `constructor`. */
function renamed(name: string, { rename }: NamingOptions): string | undefined {
  return Object.hasOwn(rename, name) ? rename[name] : undefined;
}

/** A name in the style of the job. `placeholder` stands for one that is empty, which PostgreSQL does not allow. */
export function foldName(
  name: string,
  { identifiers }: NamingOptions,
  placeholder: string,
): string {
  if (name === '') return placeholder;
  if (identifiers === 'preserve') return name;
  if (identifiers === 'lower') return name.toLowerCase();
  return name
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1_$2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1_$2')
    .replace(/[\s-]+/gu, '_')
    .toLowerCase();
}

function columnName(name: string): string {
  return SYSTEM_COLUMNS.has(name) ? `${name}_` : name;
}
