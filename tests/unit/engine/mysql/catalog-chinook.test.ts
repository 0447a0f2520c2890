import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { createConnection, type RowDataPacket } from 'mysql2/promise';

import { readCatalog } from '../../../../src/engine/sources/mysql/catalog.ts';
import { createTestMariaDb, describeWithMariaDb } from '../../../helpers/mariadb.ts';

const CHINOOK = path.resolve('../shared/data/chinook.mysql.sql');
const testWithChinook = existsSync(CHINOOK) ? test : test.skip;

describeWithMariaDb('the catalog of Chinook', () => {
  testWithChinook('has all of its tables, keys and indexes', async () => {
    const db = await createTestMariaDb();
    const { host, port, user, password } = db;
    const script = await readFile(CHINOOK, 'utf8');
    const head = /^(?:DROP DATABASE IF EXISTS|CREATE DATABASE|USE) `Chinook`;$/gm;
    await db.sql(script.replaceAll(head, ''));
    const connection = await createConnection({ host, port, user, password });
    try {
      const { tables, unmoved } = await readCatalog(async (sql, parameters) => {
        const [rows] = await connection.query(sql, [...parameters]);
        return rows as RowDataPacket[];
      }, db.database);

      expect(unmoved).toEqual([]);
      expect(tables.map(({ name, columns }) => [name, columns.length])).toEqual([
        ['Album', 3],
        ['Artist', 2],
        ['Customer', 13],
        ['Employee', 15],
        ['Genre', 2],
        ['Invoice', 9],
        ['InvoiceLine', 5],
        ['MediaType', 2],
        ['Playlist', 2],
        ['PlaylistTrack', 2],
        ['Track', 9],
      ]);
      expect(tables.every(({ primaryKey }) => primaryKey !== null)).toBe(true);
      expect(tables.flatMap(({ foreignKeys }) => foreignKeys)).toHaveLength(11);
      expect(tables.find(({ name }) => name === 'Track')).toMatchObject({
        primaryKey: ['TrackId'],
        indexes: [
          { name: 'IFK_TrackAlbumId' },
          { name: 'IFK_TrackGenreId' },
          { name: 'IFK_TrackMediaTypeId' },
        ],
        foreignKeys: [
          { columns: ['AlbumId'], references: { table: 'Album', columns: ['AlbumId'] } },
          { columns: ['GenreId'], references: { table: 'Genre', columns: ['GenreId'] } },
          { columns: ['MediaTypeId'], references: { table: 'MediaType' } },
        ],
      });
    } finally {
      await connection.end();
      await db.close();
    }
  });
});
