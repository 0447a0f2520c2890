import { Passwords } from '../../../src/services/passwords.ts';

describe('Passwords', () => {
  let passwords: Passwords;

  beforeAll(() => {
    passwords = new Passwords({ cost: 8, threads: 1 });
  });

  afterAll(async () => {
    await passwords.close();
  });

  it('knows the password it has hashed, and no other', async () => {
    const hash = await passwords.hash('a password');

    expect(hash).toMatch(/^\$2b\$08\$/);
    expect(await passwords.verify('a password', hash)).toBe(true);
    expect(await passwords.verify('a Password', hash)).toBe(false);
  });

  it('C2: takes as long for an unknown user as for a known one', async () => {
    const hash = await passwords.hash('a password');
    const known: number[] = [];
    const unknown: number[] = [];

    for (let round = 0; round < 15; round += 1) {
      known.push(await timeOf(() => passwords.verify('wrong', hash)));
      unknown.push(await timeOf(() => passwords.verify('wrong', null)));
    }

    // Wide enough for a busy machine; without the decoy it would be a thousand times less.
    expect(median(unknown) / median(known)).toBeGreaterThan(0.6);
    expect(median(unknown) / median(known)).toBeLessThan(1.6);
  });

  it('C16: refuses at once when too many are waiting, and goes on with those that are', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 60 }, () => passwords.verify('wrong', null)),
    );

    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(36);
    expect(refused[0]?.reason).toMatchObject({ code: 'TOO_MANY_PASSWORD_CHECKS' });
    expect(await passwords.verify('wrong', null)).toBe(false);
  });
});

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
