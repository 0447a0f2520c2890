import { QueryTypes, type DataType, type Model, type ModelStatic } from 'sequelize';

import { FOREIGN_KEYS, UNIQUE_CONSTRAINTS } from '../../../src/models/constraints.ts';
import { MODELS } from '../../../src/models/models.ts';
import * as vocabulary from '../../../src/models/vocabulary.ts';
import { openHubDatabase, SCHEMA, type HubDatabase } from './hub-database.ts';

interface ColumnRow {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly nullable: boolean;
}

interface ConstraintRow {
  readonly name: string;
  readonly type: string;
  readonly definition: string;
}

let database: HubDatabase;
let columns: readonly ColumnRow[];
let constraints: readonly ConstraintRow[];

beforeAll(async () => {
  database = await openHubDatabase();
  columns = await database.sequelize.query<ColumnRow>(
    `SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
            NOT a.attnotnull AS nullable
       FROM pg_attribute a
       JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
      WHERE c.relnamespace = quote_ident($schema::text)::regnamespace AND a.attnum > 0`,
    { bind: { schema: SCHEMA }, type: QueryTypes.SELECT },
  );
  constraints = await database.sequelize.query<ConstraintRow>(
    `SELECT conname AS name, contype AS type, pg_get_constraintdef(oid) AS definition
       FROM pg_constraint WHERE connamespace = quote_ident($schema::text)::regnamespace`,
    { bind: { schema: SCHEMA }, type: QueryTypes.SELECT },
  );
});

afterAll(async () => {
  await database.close();
});

/** The type that a column of such an attribute has, in PostgreSQL's own words. */
function databaseType(type: DataType): string {
  // Sequelize leaves the precision out of its own text.
  const precision = (type as { _length?: number })._length;
  return String(type)
    .replace(/^VARCHAR/, 'character varying')
    .replace(/^CHAR/, 'character')
    .replace(/^TIMESTAMP/, !precision ? 'timestamp' : `timestamp(${String(precision)})`)
    .toLowerCase();
}

const models: readonly ModelStatic<Model>[] = MODELS;

describe.each(models.map((model) => [model.name, model] as const))('%s', (_name, model) => {
  it('has an attribute for each column of its table, of the same type and nullability', () => {
    const attributes = Object.values(model.getAttributes()).map((attribute) => ({
      table: model.tableName,
      column: attribute.field,
      type: databaseType(attribute.type),
      nullable: attribute.allowNull !== false,
    }));

    const inDatabase = columns.filter(({ table }) => table === model.tableName);

    expect(sortByColumn(attributes)).toEqual(sortByColumn(inDatabase));
  });
});

describe('closed sets', () => {
  it.each([
    ['users_role_check', vocabulary.USER_ROLES],
    ['sessions_kind_check', vocabulary.SESSION_KINDS],
    ['connections_kind_check', vocabulary.CONNECTION_KINDS],
    ['migration_jobs_status_check', vocabulary.JOB_STATUSES],
    ['migration_jobs_phase_check', vocabulary.JOB_PHASES],
    ['migration_jobs_action_check', vocabulary.JOB_ACTIONS],
    ['migration_tables_phase_check', vocabulary.TABLE_PHASES],
    ['migration_tables_verdict_check', vocabulary.VERDICTS],
    ['migration_chunks_state_check', vocabulary.CHUNK_STATES],
    ['migration_logs_level_check', vocabulary.LOG_LEVELS],
    ['migration_logs_phase_check', vocabulary.JOB_PHASES],
    ['audit_trail_outcome_check', vocabulary.AUDIT_OUTCOMES],
  ] as const)('%s holds the words of the vocabulary', (name, words) => {
    const definition = constraints.find((constraint) => constraint.name === name)?.definition ?? '';

    const inDatabase = [...definition.matchAll(/'([^']+)'/g)].map(([, word]) => word);

    expect(inDatabase).toEqual([...words]);
  });
});

describe('constraints', () => {
  it.each(Object.keys(UNIQUE_CONSTRAINTS))('%s exists and is unique', (name) => {
    expect(constraints.find((constraint) => constraint.name === name)?.type).toBe('u');
  });

  it.each(Object.keys(FOREIGN_KEYS))('%s exists and is a foreign key', (name) => {
    expect(constraints.find((constraint) => constraint.name === name)?.type).toBe('f');
  });

  it('keep to what CockroachDB and YugabyteDB have too', async () => {
    const [found] = await database.sequelize.query<{ triggers: number; sequences: number }>(
      `SELECT (SELECT count(*)::int4 FROM pg_trigger WHERE NOT tgisinternal) AS triggers,
              (SELECT count(*)::int4 FROM pg_sequences) AS sequences`,
      { type: QueryTypes.SELECT },
    );

    expect(found).toEqual({ triggers: 0, sequences: 0 });
    expect(constraints.filter(({ definition }) => definition.includes('DEFERRABLE'))).toEqual([]);
  });
});

function sortByColumn<Row extends { readonly column?: string | undefined }>(
  rows: readonly Row[],
): Row[] {
  return rows.toSorted((a, b) => String(a.column).localeCompare(String(b.column)));
}
