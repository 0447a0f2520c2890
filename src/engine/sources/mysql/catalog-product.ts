import { textRows, type CatalogQuery } from './catalog-query.ts';

/** Which of the two servers, and from when on it has what. */
export interface Product {
  readonly name: 'MariaDB' | 'MySQL';
  /** `10.11.18` */
  readonly version: string;
  /** True from this version on. */
  isAtLeast(...version: readonly number[]): boolean;
}

/** Product and version, for a person: `MariaDB 10.11.18`, `MySQL 8.0.36`. */
export async function readVersion(query: CatalogQuery): Promise<string> {
  const { name, version } = await readProduct(query);
  return `${name} ${version}`;
}

export async function readProduct(query: CatalogQuery): Promise<Product> {
  const [row] = await textRows(query, 'SELECT version() AS version');
  return parseProduct(row?.version ?? '');
}

export function parseProduct(text: string): Product {
  // Some MariaDB servers put this before their version, for clients that know MySQL's numbers only.
  const numbers = /\d+(?:\.\d+)*/.exec(text.replace(/^5\.5\.5-(?=\d)/, ''))?.[0] ?? '0';
  const actual = numbers.split('.').map(Number);
  return {
    name: /mariadb/i.test(text) ? 'MariaDB' : 'MySQL',
    version: numbers,
    isAtLeast: (...wanted) => {
      const position = wanted.findIndex((part, index) => part !== (actual[index] ?? 0));
      return position < 0 || (actual[position] ?? 0) > (wanted[position] ?? 0);
    },
  };
}
