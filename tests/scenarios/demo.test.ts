import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Runs the README's first command as it stands, and gives what it printed; with `until`, Ctrl-C once that has been printed. */
async function runDemo(
  until?: RegExp,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, ['scripts/demo.ts'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (text: Buffer): void => {
    output += text.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const closed = once(child, 'close') as Promise<[number | null]>;
  while (until !== undefined && child.exitCode === null && !until.test(output)) await sleep(20);
  if (until !== undefined) {
    // A moment into what follows the line.
    await sleep(1500);
    child.kill('SIGINT');
  }
  const [code] = await closed;
  return { code, output };
}

describe('npm run demo', () => {
  it('moves a legacy database of over 100,000 rows and accounts for every row', async () => {
    const { code, output } = await runDemo();

    expect([code, code === 0 ? '' : output]).toEqual([0, '']);
    expect(output).toMatch(/Made a legacy database: 216,297 rows/);
    expect(output).toMatch(/Customers +15,000 +14,990 +10 +285 +passed/);
    expect(output).toMatch(/OrderLines +112,482 +112,482 +0 +0 +passed/);
    expect(output).toMatch(/event_log +12,060 +12,060 +0 +0 +passed/);
    expect(output).toMatch(/feature_flags +0 +0 +0 +0 +passed/);
    expect(output).toContain('Every row accounted for (read = copied + rejected): yes');
    expect(output).toContain('Every digest of the target equals that of the source: yes');
    expect(output).toContain('Where to look next');
  }, 120_000);

  it.each([
    ['while the hub is starting', /1\. Made a legacy database/],
    ['while the job is running', /6\. Started the job/],
  ])(
    'leaves nothing behind when it is interrupted %s',
    async (_moment, until) => {
      const { code, output } = await runDemo(until);

      expect([code, output]).toEqual([
        130,
        expect.stringContaining('Interrupted: stopping the hub'),
      ]);
      expect(output).not.toMatch(/Error|\bat .*\.ts:/);
      const [, folder = ''] = /(\.data\/demo-\w+)\//.exec(output) ?? [];
      expect(folder).not.toBe('');
      expect(existsSync(folder)).toBe(false);
    },
    120_000,
  );
});
