/** Tables in which a virtual table of SQLite's own modules keeps its data: name of the virtual table plus these. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  fts3: ['content', 'segments', 'segdir', 'docsize', 'stat'],
  fts4: ['content', 'segments', 'segdir', 'docsize', 'stat'],
  fts5: ['data', 'idx', 'content', 'docsize', 'config'],
  rtree: ['node', 'parent', 'rowid'],
  rtree_i32: ['node', 'parent', 'rowid'],
  geopoly: ['node', 'parent', 'rowid'],
};

/** Names of the tables that belong to virtual tables and are no data of their own. */
export function shadowTables(
  virtualTables: readonly { readonly name: string; readonly sql: string | null }[],
): ReadonlySet<string> {
  return new Set(
    virtualTables.flatMap(({ name, sql }) => {
      const [, module_ = ''] = /\bUSING\s+"?(\w+)/i.exec(sql ?? '') ?? [];
      return (SUFFIXES[module_.toLowerCase()] ?? []).map((suffix) => `${name}_${suffix}`);
    }),
  );
}
