import type { Model, ModelStatic, Options, Sequelize } from 'sequelize';

/** Where the hub's own tables live if nothing else is configured. */
export const DEFAULT_SCHEMA = 'hub';

/** The database schema of the hub's own tables, as configured on the Sequelize instance (`define.schema` or `schema`). */
export function schemaOf(sequelize: Sequelize): string {
  // Sequelize's types leave its options out.
  const { options } = sequelize as Sequelize & { readonly options: Options };
  return options.define?.schema ?? options.schema ?? DEFAULT_SCHEMA;
}

/** An identifier as it has to stand in SQL. */
export function quoteIdentifier(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

/** The schema of the hub's own tables, quoted; what schema migrations put before every name. */
export function quotedSchemaOf(sequelize: Sequelize): string {
  return quoteIdentifier(schemaOf(sequelize));
}

/** Schema and table of a model, quoted, for the few statements that are written as SQL. */
export function quotedTable(model: ModelStatic<Model>): string {
  const table = model.getTableName();
  if (typeof table === 'string') return quoteIdentifier(table);
  return `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.tableName)}`;
}

/** The instance a model was initialised on. @throws Error before `initModels`. */
export function sequelizeOf(model: ModelStatic<Model>): Sequelize {
  if (!model.sequelize) throw new Error(`${model.name} is used before initModels`);
  return model.sequelize;
}
