import { parseDatabaseUrl } from '../../../src/config/database-url.ts';

describe('parseDatabaseUrl', () => {
  it('decodes what a URL has to encode', () => {
    const connection = parseDatabaseUrl('postgres://us%40er:p%2Fw%3A@[::1]:6543/my%20db');

    expect(connection).toEqual({
      host: '::1',
      port: 6543,
      user: 'us@er',
      password: 'p/w:',
      database: 'my db',
      ssl: false,
    });
  });

  it.each([
    ['require', { rejectUnauthorized: false }],
    ['no-verify', { rejectUnauthorized: false }],
    ['verify-full', {}],
    ['disable', false],
  ])('gives sslmode=%s the meaning that libpq gives it', (mode, ssl) => {
    const connection = parseDatabaseUrl(`postgres://u:p@db/hub?sslmode=${mode}`);

    expect(connection.ssl).toEqual(ssl);
  });

  it.each([
    'postgres://u:p@public.example/db?host=127.0.0.1',
    'postgres://u:p@db/hub?options=-csearch_path=x',
    'postgres://u:p@db/hub?sslkey=/etc/passwd',
    'postgres:///hub',
    'socket:/var/run/postgresql',
    'mysql://u:p@db/hub',
    'nonsense',
  ])('refuses %s', (url) => {
    expect(() => parseDatabaseUrl(url)).toThrow();
  });
});
