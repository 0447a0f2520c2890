import { setTimeout as sleep } from 'node:timers/promises';

import { Lease, type HeldLease } from '../../../src/models/lease.ts';
import { openHubDatabase, type HubDatabase } from './hub-database.ts';

let database: HubDatabase;

beforeAll(async () => {
  database = await openHubDatabase();
});

afterAll(async () => {
  await database.close();
});

async function acquire(name: string, owner: string, seconds = 30): Promise<HeldLease> {
  const held = await Lease.acquire({ name, owner, seconds });
  if (!held) throw new Error(`${owner} did not get ${name}`);
  return held;
}

describe('Lease', () => {
  it('goes to one of 12 that ask at once, new or expired', async () => {
    for (let round = 1; round <= 5; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, owner) =>
          Lease.acquire({ name: 'race', owner: `owner ${String(owner)}`, seconds: 30 }),
        ),
      );

      const held = answers.filter((answer) => answer !== null);
      expect(held).toHaveLength(1);
      expect(held[0]?.token).toBe(round);
      await Lease.update({ expiresAt: new Date(0) }, { where: { name: 'race' } });
    }
  });

  it('is never held by two: 8 owners that hold it in turn do not overlap', async () => {
    let holders = 0;
    let most = 0;
    let turns = 0;
    const work = async (owner: string) => {
      for (let mine = 0; mine < 5;) {
        const held = await Lease.acquire({ name: 'turns', owner, seconds: 30 });
        if (!held) {
          await sleep(Math.random() * 5);
          continue;
        }
        holders += 1;
        most = Math.max(most, holders);
        await sleep(1);
        holders -= 1;
        turns += 1;
        mine += 1;
        await Lease.release(held);
      }
    };

    await Promise.all(Array.from({ length: 8 }, (_, owner) => work(`owner ${String(owner)}`)));

    expect(most).toBe(1);
    expect(turns).toBe(40);
  });

  it('is not given again while it is held, not even to its owner', async () => {
    await acquire('held', 'a');

    expect(await Lease.acquire({ name: 'held', owner: 'a', seconds: 30 })).toBeNull();
    expect(await Lease.acquire({ name: 'held', owner: 'b', seconds: 30 })).toBeNull();
  });

  it('is free after a release, with a greater token', async () => {
    const first = await acquire('released', 'a');

    await Lease.release(first);
    const second = await acquire('released', 'b');

    expect(second.token).toBeGreaterThan(first.token);
  });

  it('cannot be renewed or released by who has lost it', async () => {
    const lost = await acquire('lost', 'a', 0);
    const held = await acquire('lost', 'b');

    expect(await Lease.renew(lost, 30)).toBe(false);
    await Lease.release(lost);
    expect(await Lease.acquire({ name: 'lost', owner: 'c', seconds: 30 })).toBeNull();
    expect(await Lease.renew(held, 30)).toBe(true);
  });

  it('is held on by a renewal', async () => {
    const held = await acquire('renewed', 'a', 0.2);

    await Lease.renew(held, 30);
    await sleep(300);

    expect(await Lease.acquire({ name: 'renewed', owner: 'b', seconds: 30 })).toBeNull();
  });
});
