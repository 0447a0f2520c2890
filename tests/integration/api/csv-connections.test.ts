import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

import { sourcesFolder } from '../../../src/services/source-folder.ts';
import { buildUser, startTestApi, type TestApi, type TestUser } from '../../helpers/api.ts';

const PATH = '/api/v1/connections';

describe('/api/v1/connections of kind csv', () => {
  let api: TestApi;
  let operator: TestUser;
  let names = 0;

  const post = (options: object) =>
    api.client
      .post(PATH)
      .set(operator.headers)
      .send({ name: `csv ${String((names += 1))}`, kind: 'csv', options });
  const create = async (options: object) => {
    const response = await post(options).expect(201);
    return response.body as { id: string; version: number; options: Record<string, unknown> };
  };
  const upload = async (name: string, content: string | Buffer) => {
    const response = await api.client
      .post('/api/v1/source-files')
      .set(operator.headers)
      .attach('file', Buffer.from(content), name)
      .expect(201);
    return (response.body as { id: string }).id;
  };
  const readCatalog = async (id: string) => {
    const response = await api.client
      .get(`${PATH}/${id}/catalog`)
      .set(operator.headers)
      .expect(200);
    const { tables } = response.body as { tables: { name: string; columns: { name: string }[] }[] };
    return tables.map(({ name, columns }) => [name, columns.map((column) => column.name)]);
  };

  beforeAll(async () => {
    api = await startTestApi();
    operator = await buildUser(api, 'operator');
    const folder = sourcesFolder(api.dataDir);
    await mkdir(path.join(folder, 'shop'), { recursive: true });
    await writeFile(
      path.join(folder, 'shop', 'Orders 2024.csv.gz'),
      gzipSync('id;total\n1;2,50\n'),
    );
    await writeFile(path.join(folder, 'people.tsv'), 'id\tname\n1\té\n');
    await writeFile(path.join(folder, 'broken.csv'), 'id,name\n1,"never closed\n');
    await writeFile(path.join(folder, 'nothing.csv'), '');
  });
  afterAll(() => api.close());

  it('takes one file or several of the folder, and says what is in them by the names of the files', async () => {
    const one = await create({ path: 'shop/Orders 2024.csv.gz' });
    const two = await create({ paths: ['people.tsv', 'shop/Orders 2024.csv.gz'] });

    expect(one.options).toEqual({ paths: ['shop/Orders 2024.csv.gz'] });
    expect(await readCatalog(one.id)).toEqual([['Orders 2024', ['id', 'total']]]);
    expect(await readCatalog(two.id)).toEqual([
      ['Orders 2024', ['id', 'total']],
      ['people', ['id', 'name']],
    ]);
  });

  it('takes files that were sent, and keeps them as long as it names them', async () => {
    const ids = [await upload('a.csv', 'x,y\n1,2\n'), await upload('b.csv.gz', gzipSync('z\n3\n'))];
    const { id, options } = await create({ sourceFileIds: ids });

    expect(options).toEqual({ sourceFileIds: ids });
    expect(await readCatalog(id)).toEqual([
      ['a', ['x', 'y']],
      ['b', ['z']],
    ]);
    const removing = api.client.delete(`/api/v1/source-files/${ids[1] ?? ''}`);
    const response = await removing.set(operator.headers).expect(409);
    expect(response.body).toEqual({ error: expect.stringContaining('connection') as string });
  });

  it('reads them in the format that is given', async () => {
    const format = {
      delimiter: '\t',
      quote: "'",
      escape: '\\',
      header: false,
      encoding: 'latin1',
      nullText: 'NULL',
    };
    const { id, options } = await create({ path: 'people.tsv', ...format });

    expect(options).toEqual({ paths: ['people.tsv'], ...format });
    expect(await readCatalog(id)).toEqual([['people', ['column_1', 'column_2']]]);
  });

  it('answers a test with what can be read', async () => {
    const { id } = await create({ paths: ['people.tsv', 'shop/Orders 2024.csv.gz'] });

    const response = await api.client.post(`${PATH}/${id}/test`).set(operator.headers).expect(200);

    expect(response.body).toMatchObject({ ok: true, version: 'CSV, 2 files' });
  });

  it.each([
    ['missing.csv', {}],
    ['nothing.csv', {}],
    ['people.tsv', { delimiter: '€', encoding: 'utf-8', quote: '€' }],
  ])('answers a test of %s %j with what is wrong', async (file, format) => {
    const { id } = await create({ path: file, ...format });

    const response = await api.client.post(`${PATH}/${id}/test`).set(operator.headers).expect(422);

    expect(response.body).toHaveProperty('error');
  });

  it.each([
    [{}, 'options'],
    [{ path: 'people.tsv', paths: ['people.tsv'] }, 'options'],
    [{ paths: [] }, 'options.paths'],
    [{ paths: ['people.tsv', 'people.tsv'] }, 'options.paths'],
    [{ paths: 'people.tsv' }, 'options.paths'],
    [{ sourceFileIds: ['nonsense'] }, 'options.sourceFileIds'],
    [{ sourceFileIds: ['0190163d-8694-739b-aea5-966c26f8ad91'] }, 'options.sourceFileIds'],
    [{ path: '../secrets.json' }, 'options.path'],
    [{ paths: ['people.tsv', '/etc/passwd'] }, 'options.path'],
    [{ path: 'people.tsv', delimiter: '' }, 'options.delimiter'],
    [{ path: 'people.tsv', quote: '""' }, 'options.quote'],
    [{ path: 'people.tsv', header: 'yes' }, 'options.header'],
    [{ path: 'people.tsv', encoding: 'ebcdic' }, 'options.encoding'],
    [{ path: 'people.tsv', host: 'localhost' }, 'options.host'],
  ])('refuses the options %j', async (options, field) => {
    const response = await post(options).expect(400);

    expect(
      (response.body as { errors?: { field: string }[] }).errors?.[0]?.field ??
        (response.body as { field: string }).field,
    ).toBe(field);
  });

  it('changes its options as a whole', async () => {
    const { id, version } = await create({ path: 'people.tsv', nullText: 'x' });

    const response = await api.client
      .patch(`${PATH}/${id}`)
      .set(operator.headers)
      .set('If-Match', `"${String(version)}"`)
      .send({ options: { path: 'people.tsv', header: false } })
      .expect(200);

    expect((response.body as { options: object }).options).toEqual({
      paths: ['people.tsv'],
      header: false,
    });
  });
});
