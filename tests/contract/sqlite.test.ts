import { buildHostileSqlite, LONG_NAME } from '../helpers/legacy-sqlite.ts';
import { describeSourceContract } from './source-contract.ts';

describeSourceContract('sqlite', async () => {
  const file = await buildHostileSqlite();
  return {
    location: { path: file.path },
    nowhere: { path: `${file.path}-missing` },
    rows: {
      child: 4,
      composite: 4,
      empty: 0,
      keyless: 3,
      [LONG_NAME]: 2,
      null_key: 3,
      odd_key: 4,
      only_rejects: 2,
      parent: 1,
      people: 2,
      select: 2,
      strict_table: 2,
      text_key: 3,
      wide: 2,
      without_rowid: 3,
    },
    remove: () => file.remove(),
  };
});
