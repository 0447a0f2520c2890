import { buildHostileMysql, HOSTILE_MYSQL_ROWS } from '../helpers/legacy-mysql.ts';
import { describeWithMariaDb } from '../helpers/mariadb.ts';
import { describeSourceContract } from './source-contract.ts';

describeWithMariaDb('MariaDB', () => {
  describeSourceContract('mysql', async () => {
    const mariadb = await buildHostileMysql();
    const { host, port, database, user, password } = mariadb;
    const location = { host, port, database, user, password, ssl: 'disable' } as const;
    return {
      location,
      nowhere: { ...location, database: `${database}_missing` },
      rows: HOSTILE_MYSQL_ROWS,
      remove: () => mariadb.close(),
    };
  });
});
