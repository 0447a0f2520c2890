import { QueryTypes } from 'sequelize';
import type { Response } from 'supertest';

import { AuditTrail } from '../../../src/models/audit-trail.ts';
import { RefreshToken } from '../../../src/models/refresh-token.ts';
import { Session } from '../../../src/models/session.ts';
import { hashRefreshToken } from '../../../src/services/refresh-tokens.ts';
import { buildUser, startTestApi, type TestApi, type TestUser } from '../../helpers/api.ts';

const PATH = '/api/v1/auth/refresh';

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

describe('POST /api/v1/auth/refresh', () => {
  let api: TestApi;

  const refresh = (refreshToken: unknown) => api.client.post(PATH).send({ refreshToken });
  const tokensOf = (response: Response) => response.body as Tokens;
  const sessionOf = (accessToken: string) =>
    api.client.get('/api/v1/auth/session').set('Authorization', `Bearer ${accessToken}`);
  const rowOf = (token: string) =>
    RefreshToken.findOne({ where: { tokenHash: hashRefreshToken(token) }, rejectOnEmpty: true });
  const graceOf = (seconds: number) =>
    Object.assign(api.hub.settings, { refreshGraceSeconds: seconds });

  beforeAll(async () => {
    api = await startTestApi();
  });

  afterEach(() => {
    graceOf(0);
  });

  afterAll(async () => {
    await api.close();
  });

  it('B1: exchanges the token for another one', async () => {
    const user = await buildUser(api, 'viewer');

    const response = await refresh(user.refreshToken);

    expect(response.status).toBe(200);
    expect(response.headers['cache-control']).toBe('no-store');
    const { accessToken, refreshToken } = tokensOf(response);
    expect(refreshToken).not.toBe(user.refreshToken);
    await sessionOf(accessToken).expect(200);
    const used = await rowOf(user.refreshToken);
    expect(used.usedAt).not.toBeNull();
    expect(await rowOf(refreshToken)).toMatchObject({ parentId: used.id, usedAt: null });
  });

  it('B2: ends the session when a used token comes back', async () => {
    const user = await buildUser(api, 'viewer');
    const { accessToken, refreshToken } = tokensOf(await refresh(user.refreshToken).expect(200));

    const replay = await refresh(user.refreshToken);

    expect(replay.status).toBe(401);
    expect(replay.body).toEqual({ error: 'Invalid refresh token' });
    expect(replay.headers['x-error-code']).toBe('INVALID_REFRESH_TOKEN');
    await refresh(refreshToken).expect(401);
    await sessionOf(accessToken).expect(401);
    await sessionOf(user.accessToken).expect(401);
    const { sessionId } = await rowOf(refreshToken);
    const detected = await AuditTrail.findAll({
      where: { action: 'auth.refresh_reuse_detected', entityId: sessionId },
    });
    expect(detected).toHaveLength(1);
    expect(detected[0]).toMatchObject({ outcome: 'failure', entityType: 'session' });
  });

  it('B3: gives at most one child for many refreshes at once', async () => {
    const user = await buildUser(api, 'viewer');
    let { refreshToken } = user as Tokens;
    for (let round = 0; round < 25; round += 1) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(refreshToken)));

      const winners = answers.filter(({ status }) => status === 200);
      expect(winners).toHaveLength(1);
      for (const { status, headers } of answers) {
        expect([200, 401, 409]).toContain(status);
        if (status === 409) expect(headers['retry-after']).toBe('1');
      }
      const parent = await rowOf(refreshToken);
      expect(await RefreshToken.count({ where: { parentId: parent.id } })).toBe(1);
      // A loser that began after the winner had committed is a replay, as far as any server can tell.
      const isEnded = answers.some(({ status }) => status === 401);
      const [winner] = winners;
      if (winner) ({ refreshToken } = isEnded ? await buildUser(api) : tokensOf(winner));
    }
  }, 60_000);

  it('B4: gives all of them the same child within the grace time', async () => {
    graceOf(10);
    const user = await buildUser(api, 'viewer');
    let { refreshToken } = user as Tokens;
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(Array.from({ length: 6 }, () => refresh(refreshToken)));

      expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
      const children = new Set(answers.map((answer) => tokensOf(answer).refreshToken));
      expect(children.size).toBe(1);
      const parent = await rowOf(refreshToken);
      expect(await RefreshToken.count({ where: { parentId: parent.id } })).toBe(1);
      refreshToken = [...children][0] ?? '';
    }
  }, 60_000);

  it('B4, B15: gives the child again to a client that lost the answer, until it is used', async () => {
    graceOf(10);
    const user = await buildUser(api, 'viewer');
    const child = tokensOf(await refresh(user.refreshToken).expect(200)).refreshToken;

    const again = tokensOf(await refresh(user.refreshToken).expect(200)).refreshToken;
    await refresh(child).expect(200);
    const late = await refresh(user.refreshToken);

    expect(again).toBe(child);
    expect(late.status).toBe(401);
  });

  it('B4: takes a token that comes back after the grace time for stolen', async () => {
    graceOf(10);
    const user = await buildUser(api, 'viewer');
    await refresh(user.refreshToken).expect(200);
    const row = await rowOf(user.refreshToken);
    await row.update({ usedAt: new Date(Date.now() - 11_000) });

    await refresh(user.refreshToken).expect(401);

    const session = await Session.findByPk(row.sessionId, { rejectOnEmpty: true });
    expect(session.revokedReason).toBe('refresh token reused');
  });

  it.each([0, 10])(
    'B5: leaves no token alive that races a logout (grace %i s)',
    async (grace) => {
      graceOf(grace);
      for (let round = 0; round < 20; round += 1) {
        const user = await buildUser(api, 'viewer');

        const [answer, end] = await Promise.all([
          refresh(user.refreshToken),
          api.client.post('/api/v1/auth/logout').set(user.headers),
        ]);

        // The logout itself may come after a family that the race has ended.
        expect([204, 401]).toContain(end.status);
        const tokens: Tokens[] = answer.status === 200 ? [user, tokensOf(answer)] : [user];
        for (const { accessToken, refreshToken } of tokens) {
          await sessionOf(accessToken).expect(401);
          await refresh(refreshToken).expect(401);
        }
      }
    },
    60_000,
  );

  describe('B7: refuses', () => {
    let user: TestUser;
    beforeEach(async () => {
      user = await buildUser(api, 'viewer');
    });

    it('an expired token, without calling it stolen', async () => {
      const row = await rowOf(user.refreshToken);
      await row.update({ expiresAt: new Date(Date.now() - 1000) });

      await refresh(user.refreshToken).expect(401);

      await sessionOf(user.accessToken).expect(200);
    });

    it('a fresh token of a session that has lived its longest', async () => {
      const { sessionId } = await rowOf(user.refreshToken);
      await Session.update(
        { absoluteExpiresAt: new Date(Date.now() - 1000) },
        { where: { id: sessionId } },
      );

      await refresh(user.refreshToken).expect(401);
    });

    it('to let a session live longer than its longest', async () => {
      const { sessionId } = await rowOf(user.refreshToken);
      const end = new Date(Date.now() + 60_000);
      await Session.update({ absoluteExpiresAt: end }, { where: { id: sessionId } });

      const { refreshToken } = tokensOf(await refresh(user.refreshToken).expect(200));

      expect((await rowOf(refreshToken)).expiresAt).toEqual(end);
    });
  });

  it.each([
    [401, 'x'.repeat(43)],
    [401, 'cut'],
    [400, 'x'.repeat(10_240)],
    [400, ['a']],
    [400, 7],
    [400, null],
    [400, undefined],
    [400, ''],
    [400, 'a\0b'],
  ])('B8: answers %i to %j', async (status, token) => {
    const response = await refresh(token);

    expect(response.status).toBe(status);
    if (status === 400) expect(response.body).toMatchObject({ field: 'refreshToken' });
  });

  it('B12, B13: keeps no token that somebody could use', async () => {
    const user = await buildUser(api, 'viewer');
    const child = tokensOf(await refresh(user.refreshToken).expect(200));

    const dump = await dumpDatabase();
    const { tokenHash, expiresAt } = await rowOf(child.refreshToken);

    for (const token of [user.refreshToken, child.refreshToken, child.accessToken]) {
      expect(dump).not.toContain(token);
      expect(dump).not.toContain(Buffer.from(token).toString('hex'));
      expect(api.logLines.join('')).not.toContain(token);
    }
    expect(tokenHash).toHaveLength(32);
    expect(expiresAt.getTime()).toBeGreaterThan(Date.now());
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      await refresh(tokenHash.toString(encoding)).expect(401);
    }
  });

  it('B14: refuses a disabled user and ends the session', async () => {
    const user = await buildUser(api, 'viewer');
    await user.user.update({ disabledAt: new Date() });

    await refresh(user.refreshToken).expect(401);

    await user.user.update({ disabledAt: null });
    await refresh(user.refreshToken).expect(401);
    await sessionOf(user.accessToken).expect(401);
  });

  async function dumpDatabase(): Promise<string> {
    const tables = await api.sequelize.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'hub'`,
      { type: QueryTypes.SELECT },
    );
    const dumps = await Promise.all(
      tables.map(({ name }) =>
        api.sequelize.query(`SELECT row::text AS text FROM hub."${name}" AS row`, {
          type: QueryTypes.SELECT,
        }),
      ),
    );
    return JSON.stringify(dumps);
  }
});
