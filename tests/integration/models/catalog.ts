import { QueryTypes, type Sequelize } from 'sequelize';

/** Everything that the hub's schema consists of, one line each, sorted: two schemas are the same when these are. */
export async function describeCatalog(sequelize: Sequelize, schema: string): Promise<string[]> {
  const rows = await sequelize.query<{ line: string }>(
    `SELECT concat_ws(' ', 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
              a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) AS line
       FROM pg_attribute a
       JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
       LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE c.relnamespace = quote_ident($schema::text)::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
     UNION ALL
     SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
       FROM pg_constraint WHERE connamespace = quote_ident($schema::text)::regnamespace
     UNION ALL
     SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = $schema
     UNION ALL
     SELECT concat_ws(' ', 'relation', relkind, relname)
       FROM pg_class WHERE relnamespace = quote_ident($schema::text)::regnamespace
     ORDER BY 1`,
    { bind: { schema }, type: QueryTypes.SELECT },
  );
  return rows.map(({ line }) => line);
}
