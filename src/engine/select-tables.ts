import type { Catalog, JobOptions, Table } from './contract.ts';

/** The catalog less the tables that `include` and `exclude` leave out. */
export function selectTables(catalog: Catalog, options: Pick<JobOptions, 'include' | 'exclude'>): Catalog {
  const included = options.include.map(globToRegExp);
  const excluded = options.exclude.map(globToRegExp);
  const isSelected = ({ name }: Table): boolean =>
    (included.length === 0 || included.some((glob) => glob.test(name))) && !excluded.some((glob) => glob.test(name));
  return { ...catalog, tables: catalog.tables.filter(isSelected) };
}

/** `*` = any characters, `?` = one. Everything else stands for itself, so no pattern can be slow. */
function globToRegExp(glob: string): RegExp {
  const pattern = glob
    .replace(/\*+/g, '*')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`, 'isu');
}
