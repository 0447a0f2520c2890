import type { Catalog, JobOptions, Table } from './contract.ts';

/** The catalog less the tables that `include` and `exclude` leave out. */
export function selectTables(
  catalog: Catalog,
  options: Pick<JobOptions, 'include' | 'exclude'>,
): Catalog {
  const { include, exclude } = options;
  const isSelected = ({ name }: Table): boolean =>
    (include.length === 0 || include.some((glob) => matchesGlob(name, glob))) &&
    !exclude.some((glob) => matchesGlob(name, glob));
  return { ...catalog, tables: catalog.tables.filter(isSelected) };
}

/**
 * `*` = any characters, `?` = one, everything else stands for itself; without regard to case. On a mismatch only the last `*`
 * takes one character more, so no pattern can be slow: at most name × glob steps.
 */
function matchesGlob(name: string, glob: string): boolean {
  const [text, pattern] = [Array.from(name.toLowerCase()), Array.from(glob.toLowerCase())];
  let [at, wanted] = [0, 0];
  let [starAt, starWanted] = [-1, -1];
  while (at < text.length) {
    if (pattern[wanted] === '*') {
      [starAt, starWanted] = [at, wanted];
      wanted += 1;
    } else if (pattern[wanted] === '?' || pattern[wanted] === text[at]) {
      at += 1;
      wanted += 1;
    } else if (starWanted >= 0) {
      starAt += 1;
      at = starAt;
      wanted = starWanted + 1;
    } else {
      return false;
    }
  }
  return pattern.slice(wanted).every((character) => character === '*');
}
