import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs the README's first command as it stands, and gives what it printed. */
async function runDemo(): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, ['scripts/demo.ts'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (text: Buffer): void => {
    output += text.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const [code] = (await once(child, 'close')) as [number | null];
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
});
