import { SourceFile } from '../../../src/models/source-file.ts';
import { buildUser, startTestApi, type TestApi, type TestUser } from '../../helpers/api.ts';

const PATH = '/api/v1/source-files';

interface Page {
  readonly data: { readonly id: string; readonly name: string }[];
  readonly nextCursor: string | null;
}

describe('a list', () => {
  let api: TestApi;
  let operator: TestUser;

  const get = async (path: string) => {
    const response = await api.client.get(path).set(operator.headers).expect(200);
    return { page: response.body as Page, link: response.headers.link };
  };
  const insert = (names: readonly string[]) =>
    SourceFile.bulkCreate(
      names.map((name) => ({ name, size: 1, sha256: '0'.repeat(64), path: `uploads/${name}` })),
    );

  beforeEach(async () => {
    api = await startTestApi();
    operator = await buildUser(api, 'operator');
  });

  afterEach(async () => {
    await api.close();
  });

  it('H7: that is empty has no next page', async () => {
    const { page, link } = await get(PATH);

    expect(page).toEqual({ data: [], nextCursor: null });
    expect(link).toBeUndefined();
  });

  it('gives 20 rows where nobody asks for more, and links to the next page', async () => {
    await insert(Array.from({ length: 25 }, (_value, index) => `file ${String(index)}`));

    const first = await get(PATH);
    const [, next = ''] = /^<(.*)>; rel="next"$/.exec(first.link ?? '') ?? [];
    const second = await get(next);

    expect(first.page.data).toHaveLength(20);
    expect(next).toBe(`${PATH}?cursor=${String(first.page.nextCursor)}`);
    expect(second.page.data).toHaveLength(5);
    expect(second.page.nextCursor).toBeNull();
    expect(second.link).toBeUndefined();
  });

  it('H5: shows every row that was there exactly once, whatever comes in meanwhile', async () => {
    const before = Array.from({ length: 60 }, (_value, index) => `before ${String(index)}`);
    await insert(before);

    const seen: string[] = [];
    let path: string | null = `${PATH}?limit=7`;
    while (path !== null) {
      const { page } = await get(path);
      seen.push(...page.data.map(({ name }) => name));
      await insert(Array.from({ length: 10 }, () => 'meanwhile'));
      path = page.nextCursor === null ? null : `${PATH}?limit=7&cursor=${page.nextCursor}`;
    }

    const old = seen.filter((name) => name !== 'meanwhile');
    expect(old).toHaveLength(before.length);
    expect(new Set(old)).toEqual(new Set(before));
  });

  it('H4: refuses the cursor of another list', async () => {
    await insert(['a', 'b']);
    const { page } = await get(`${PATH}?limit=1`);

    const response = await api.client
      .get(`/api/v1/connections?cursor=${String(page.nextCursor)}`)
      .set(operator.headers);

    expect(response.status).toBe(400);
    expect(response.body).toEqual({ error: 'Invalid cursor', field: 'cursor' });
  });
});
