import {
  completeOptions,
  type Assessment,
  type Catalog,
  type Column,
  type ColumnDecision,
  type ColumnScan,
  type Index,
  type PartialJobOptions,
  type Plan,
  type Table,
  type TableScan,
} from '../../src/engine/contract.ts';
import { plan } from '../../src/engine/steps/plan.ts';
import type { PlanningDriver } from '../../src/engine/steps/plan/decisions.ts';

/** A column of a catalog that no source has given: declared as what it is to be. */
export interface ColumnFixture extends Partial<Column> {
  readonly name: string;
  /** PostgreSQL type that the fake driver decides. */
  readonly type: string;
  readonly decision?: Partial<ColumnDecision>;
  readonly scan?: Partial<ColumnScan>;
}

export type TableFixture = Partial<Omit<Table, 'columns' | 'indexes'>> & {
  readonly name: string;
  readonly columns: readonly ColumnFixture[];
  readonly indexes?: readonly (Partial<Index> & Pick<Index, 'parts'>)[];
  readonly rows?: number;
};

export type CatalogFixture = Partial<Omit<Catalog, 'tables'>> & {
  readonly tables: readonly TableFixture[];
};

/** The part of an index that is one whole column. */
export function part(column: string, more: Partial<Index['parts'][number]> = {}) {
  return { column, expression: null, descending: false, collation: null, ...more };
}

/** Plans a catalog that is written by hand, with a driver that decides as the fixture says and translates nothing. */
export function planFixture(fixture: CatalogFixture, options: PartialJobOptions = {}): Plan {
  return plan(assessFixture(fixture), completeOptions(options), fakeDriver(fixture));
}

function assessFixture({ tables, ...catalog }: CatalogFixture): Assessment {
  return {
    catalog: {
      kind: 'sqlite',
      version: 'fixture 1',
      unmoved: [],
      ...catalog,
      tables: tables.map(buildTable),
    },
    fingerprint: 'f'.repeat(64),
    scans: tables.map(buildScan),
    findings: [],
  };
}

function buildTable({ columns, indexes = [], rows: _, ...table }: TableFixture): Table {
  return {
    primaryKey: null,
    foreignKeys: [],
    checks: [],
    identity: null,
    ...table,
    indexes: indexes.map((index) => ({ name: '', unique: false, where: null, ...index })),
    columns: columns.map(({ type, decision: _decision, scan: _scan, ...column }) => ({
      declaredType: type,
      nullable: true,
      defaultExpression: null,
      collation: null,
      generated: null,
      ...column,
    })),
  };
}

function buildScan({ name, columns, rows = 0 }: TableFixture): TableScan {
  return {
    table: name,
    rows,
    columns: Object.fromEntries(
      columns.map((column) => [
        column.name,
        {
          facts: {},
          minInteger: null,
          maxInteger: null,
          maxLength: null,
          samples: {},
          ...column.scan,
        },
      ]),
    ),
    chunkKey: null,
    chunkBounds: [],
    orphans: [],
  };
}

/** Expressions that say so cannot be carried over; all others stand in PostgreSQL's SQL already. */
const UNTRANSLATABLE = 'untranslatable';

function fakeDriver({ tables }: CatalogFixture): PlanningDriver {
  return {
    decideColumn: ({ table, column, cast }) => {
      const fixture = tables
        .find(({ name }) => name === table.name)
        ?.columns.find(({ name }) => name === column.name);
      const targetType = cast ?? fixture?.type ?? 'text';
      return {
        targetType,
        encoder: `as ${targetType}`,
        evidence: `declared ${column.declaredType}`,
        holdsNull: false,
        findings: [],
        ...(cast === undefined ? fixture?.decision : {}),
      };
    },
    translateExpression: ({ expression }) => (expression === UNTRANSLATABLE ? null : expression),
    canonicalTargetExpression: ({ target }) => `"${target}"::text`,
  };
}
