import type {
  Catalog,
  ColumnDecision,
  ColumnEquality,
  JobOptions,
  PlannedSchemaObject,
  Sequence,
  UserType,
} from '../../contract.ts';
import { qualifiedName, quoteLiteral } from '../../target/identifiers.ts';
import { foldName, type ObjectNames } from './names.ts';
import { rewriteIdentifiers, rewriteReferences } from './rewrite.ts';

/** The types, collations and sequences that the tables need, named as they come up. */
export class SchemaObjects {
  readonly #schema: string;
  readonly #names: ObjectNames;
  readonly #options: JobOptions;
  /** Source name → name in the target. */
  readonly #types: ReadonlyMap<string, string>;
  readonly #sequences: ReadonlyMap<string, string>;
  readonly #catalogObjects: readonly PlannedSchemaObject[];
  readonly #enums: PlannedSchemaObject[] = [];
  /** ICU locale → collation. */
  readonly #collations = new Map<string, PlannedSchemaObject>();

  constructor(catalog: Catalog, options: JobOptions, names: ObjectNames) {
    this.#schema = options.targetSchema;
    this.#names = names;
    this.#options = options;
    const { types = [], sequences = [] } = catalog;
    this.#sequences = this.#claimAll(sequences);
    this.#types = this.#claimAll(types);
    this.#catalogObjects = [
      ...sequences.map((sequence) => this.#planSequence(sequence)),
      ...types.map((type) => this.#planType(type)),
    ];
  }

  /** In an order in which they can be made. */
  all(): readonly PlannedSchemaObject[] {
    return [...this.#catalogObjects, ...this.#enums, ...this.#collations.values()];
  }

  /** The column's type as in DDL; an enum of its own is named after table and column. */
  typeOf(decision: ColumnDecision, table: string, column: string): string {
    const { targetType, enumLabels, userType } = decision;
    if (enumLabels !== undefined)
      return this.#addEnum(this.#names.claim(table, column), enumLabels);
    const own = userType === undefined ? undefined : this.#types.get(userType);
    if (own === undefined) return targetType;
    return `${this.#qualify(own)}${/(?:\[\d*\])*$/.exec(targetType)?.[0] ?? ''}`;
  }

  /** The collation that compares as the source does: one for each locale. */
  collationFor({ name, icuLocale }: ColumnEquality): string {
    const known = this.#collations.get(icuLocale);
    if (known !== undefined) return known.name;
    const collation = this.#names.claim(foldName(name, this.#options, 'collation'));
    const sql = `CREATE COLLATION ${this.#qualify(collation)} (provider = icu, locale = ${quoteLiteral(icuLocale)}, deterministic = false)`;
    this.#collations.set(icuLocale, {
      kind: 'collation',
      schema: this.#schema,
      name: collation,
      sql,
    });
    return collation;
  }

  /** An expression in PostgreSQL's SQL with the types and sequences of the plan for those of the catalog. */
  qualify(expression: string): string {
    if (this.#types.size === 0 && this.#sequences.size === 0) return expression;
    return rewriteReferences(expression, {
      type: (name) => this.#found(this.#types, name),
      sequence: (name) => this.#found(this.#sequences, name),
    });
  }

  #found(names: ReadonlyMap<string, string>, name: string): string | null {
    const target = names.get(name);
    return target === undefined ? null : this.#qualify(target);
  }

  #claimAll(objects: readonly { readonly name: string }[]): Map<string, string> {
    return new Map(
      objects.map(({ name }) => [name, this.#names.claim(foldName(name, this.#options, 'object'))]),
    );
  }

  #planSequence({ name, definition, next }: Sequence): PlannedSchemaObject {
    const target = this.#sequences.get(name) ?? name;
    const sql = `CREATE SEQUENCE ${this.#qualify(target)} ${definition}`.trimEnd();
    return { kind: 'sequence', schema: this.#schema, name: target, sql, next };
  }

  #planType({ name, kind, definition }: UserType): PlannedSchemaObject {
    const target = this.#types.get(name) ?? name;
    const rewritten = rewriteIdentifiers(definition, {
      replace: (type) => this.#found(this.#types, type),
      isComposite: kind === 'composite',
    });
    const create = kind === 'domain' ? 'CREATE DOMAIN' : 'CREATE TYPE';
    const sql = `${create} ${this.#qualify(target)} ${this.qualify(rewritten)}`;
    return { kind: 'type', schema: this.#schema, name: target, sql };
  }

  #addEnum(name: string, labels: readonly string[]): string {
    const type = this.#qualify(name);
    const sql = `CREATE TYPE ${type} AS ENUM (${labels.map(quoteLiteral).join(', ')})`;
    this.#enums.push({ kind: 'type', schema: this.#schema, name, sql });
    return type;
  }

  #qualify(name: string): string {
    return qualifiedName({ schema: this.#schema, target: name });
  }
}
