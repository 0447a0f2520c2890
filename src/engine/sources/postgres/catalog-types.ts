import type { UnmovedObject, UserType } from '../../contract.ts';
import type { PostgresColumnDetail } from '../../types/postgres.ts';
import { isCommonCollation, translateExpression } from '../../types/postgres-expression.ts';
import { isCarriedOver, parseTypeName } from '../../types/postgres-types.ts';
import { quotePostgresName, quotePostgresText } from '../../types/sql-text.ts';
import { ExpressionWriter, objectKey } from './catalog-expressions.ts';
import type { TypeRow } from './catalog-queries.ts';

const KINDS = {
  b: 'base',
  c: 'composite',
  d: 'domain',
  e: 'enum',
  m: 'multirange',
  p: 'base',
  r: 'range',
} as const;

/** The types that the source's users have made: which of them are moved, in which order, and what the others are. */
export class TypeCatalog {
  readonly #rows: ReadonlyMap<string, TypeRow>;
  readonly #keywords: readonly string[];
  /** Oid → definition, in an order in which they can be made. */
  readonly #moved = new Map<string, UserType>();
  readonly #names = new Map<string, string>();
  readonly #visited = new Set<string>();

  /** `used`: oids of the columns' types. */
  constructor(request: {
    readonly rows: readonly TypeRow[];
    readonly schema: string;
    readonly used: readonly string[];
    readonly keywords: readonly string[];
  }) {
    this.#rows = new Map(request.rows.map((row) => [row.oid, row]));
    this.#keywords = request.keywords;
    // The schema's own first: of two types of one name only one can be moved.
    for (const row of request.rows) if (row.schema === request.schema) this.#move(row.oid);
    for (const oid of request.used) this.#move(oid);
  }

  get types(): readonly UserType[] {
    return [...this.#moved.values()];
  }

  /** `objectKey` → name in the catalog. */
  get names(): ReadonlyMap<string, string> {
    return this.#names;
  }

  unmoved(schema: string): UnmovedObject[] {
    return [...this.#rows.values()]
      .filter(
        (row) =>
          row.schema === schema &&
          row.extension === null &&
          row.element === null &&
          !row.is_row &&
          row.kind !== 'm' &&
          !this.#moved.has(row.oid),
      )
      .map(({ name }) => ({ kind: 'type' as const, name, definition: null }));
  }

  /** What `format_type` cannot tell of a column's type; empty for PostgreSQL's own. */
  describe(oid: string): PostgresColumnDetail {
    const row = this.#elementOf(oid);
    if (row === undefined) return {};
    const moved = this.#moved.get(row.oid);
    const domainBase = this.#domainBase(row);
    return {
      kind: row.is_row ? 'row' : KINDS[row.kind],
      name: row.name,
      ...(moved === undefined ? {} : { type: moved.name }),
      ...(row.extension === null ? {} : { extension: row.extension }),
      ...(domainBase === null ? {} : { domainBase }),
    };
  }

  #elementOf(oid: string): TypeRow | undefined {
    const row = this.#rows.get(oid);
    return row === undefined || row.element === null ? row : this.#rows.get(row.element);
  }

  /** The type of PostgreSQL's own below a domain, or below the domain below it. */
  #domainBase({ kind, base, base_declared: declared }: TypeRow): string | null {
    if (kind !== 'd' || base === null) return null;
    const below = this.#rows.get(base);
    return below === undefined ? declared : this.#domainBase(below);
  }

  /** Moves a type and all that it rests on; false where that is not possible. */
  #move(oid: string): boolean {
    const row = this.#elementOf(oid);
    if (row === undefined || this.#moved.has(row.oid)) return true;
    if (this.#visited.has(row.oid)) return false;
    this.#visited.add(row.oid);
    if (row.extension !== null || row.is_row) return false;
    if ([...this.#moved.values()].some(({ name }) => name === row.name)) return false;
    const type = this.#define(row);
    if (type === null) return false;
    this.#moved.set(row.oid, type);
    this.#names.set(objectKey(row.schema, row.name), row.name);
    return true;
  }

  #define(row: TypeRow): UserType | null {
    const { name } = row;
    switch (row.kind) {
      case 'e':
        return {
          name,
          kind: 'enum',
          definition: `AS ENUM (${(row.labels ?? []).map(quotePostgresText).join(', ')})`,
        };
      case 'd':
        return definition(name, 'domain', this.#domain(row));
      case 'c':
        return definition(name, 'composite', this.#composite(row));
      case 'r':
        return definition(name, 'range', this.#range(row));
      case 'b':
      case 'm':
      case 'p':
        return null;
    }
  }

  #domain(row: TypeRow): string | null {
    const base = this.#reference(row.base ?? '', row.base_declared ?? '');
    if (base === null) return null;
    const isDefaulted = row.default_expression !== null;
    const byDefault = isDefaulted ? this.#expression(row.default_expression) : '';
    const checks = (row.constraints ?? []).map((check) => {
      const carried = this.#expression(check.definition);
      return carried === null ? null : `CONSTRAINT ${quotePostgresName(check.name)} ${carried}`;
    });
    if (byDefault === null || checks.includes(null)) return null;
    if (row.collation !== null && !isCommonCollation(row.collation.replaceAll('"', '')))
      return null;
    return [
      `AS ${base}`,
      ...(row.collation === null ? [] : [`COLLATE ${row.collation}`]),
      ...(isDefaulted ? [`DEFAULT ${byDefault}`] : []),
      ...(row.not_null ? ['NOT NULL'] : []),
      ...checks,
    ].join(' ');
  }

  #composite(row: TypeRow): string | null {
    const attributes = (row.attributes ?? []).map(({ name, type, declared, collation }) => {
      const reference = this.#reference(type, declared);
      if (reference === null) return null;
      if (collation !== null && !isCommonCollation(collation)) return null;
      const collate = collation === null ? '' : ` COLLATE ${quotePostgresName(collation)}`;
      return `${quotePostgresName(name)} ${reference}${collate}`;
    });
    return attributes.includes(null) ? null : `AS (${attributes.join(', ')})`;
  }

  #range({ range }: TypeRow): string | null {
    if (range === null || range.has_canonical) return null;
    const subtype = this.#reference(range.subtype, range.declared);
    const isOwnClass =
      range.operator_class !== null && range.operator_class_schema !== 'pg_catalog';
    if (subtype === null || isOwnClass) return null;
    if (range.collation !== null && !isCommonCollation(range.collation)) return null;
    const options = [
      `SUBTYPE = ${subtype}`,
      ...(range.operator_class === null
        ? []
        : [`SUBTYPE_OPCLASS = ${quotePostgresName(range.operator_class)}`]),
      ...(range.collation === null ? [] : [`COLLATION = ${quotePostgresName(range.collation)}`]),
      // A function of the source's own only makes statistics better: left out.
      ...(range.difference === null || range.difference_schema !== 'pg_catalog'
        ? []
        : [`SUBTYPE_DIFF = ${range.difference}`]),
    ];
    return `AS RANGE (${options.join(', ')})`;
  }

  /** A type as it stands in a definition; null where the target cannot have it. */
  #reference(oid: string, declared: string): string | null {
    const row = this.#elementOf(oid);
    const type = parseTypeName(declared);
    if (row === undefined) return isCarriedOver(type) ? declared : null;
    if (!this.#move(oid)) return null;
    return `${quotePostgresName(row.name)}${type.isArray ? '[]' : ''}`;
  }

  #expression(sql: string): string | null {
    const writer = new ExpressionWriter(this.#keywords, {
      types: this.#names,
      sequences: new Map(),
    });
    return translateExpression({ expression: writer.write(sql), purpose: 'check', columns: {} });
  }
}

function definition(name: string, kind: UserType['kind'], text: string | null): UserType | null {
  return text === null ? null : { name, kind, definition: text };
}
