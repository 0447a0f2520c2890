import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const decisions = readdirSync('docs/decisions').sort();
const pages = [
  ...readdirSync('docs').filter((name) => name.endsWith('.md')),
  ...decisions.map((name) => path.join('decisions', name)),
].map((name) => path.join('docs', name));

describe('the pages in docs', () => {
  it.each(pages)('%s links to pages that exist', (page) => {
    const links = [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#]+)[^)]*\)/g)]
      .map(([, link]) => link ?? '')
      .filter((link) => !link.includes('://'));
    const dead = links.filter((link) => !existsSync(path.join(path.dirname(page), link)));

    expect(dead).toEqual([]);
  });

  it.each(pages)('%s names files that exist', (page) => {
    const named = [
      ...readFileSync(page, 'utf8').matchAll(/`((?:src|scripts|tests|docs)\/[\w./-]+)`/g),
    ];
    const missing = named.map(([, file]) => file ?? '').filter((file) => !existsSync(file));

    expect(missing).toEqual([]);
  });
});

describe('docs/decisions', () => {
  it('are numbered without gap', () => {
    const numbers = decisions.map((name) => Number(name.slice(0, 4)));

    expect(numbers).toEqual(decisions.map((_, index) => index + 1));
  });

  it.each(decisions)('%s says what was decided, why, and what follows', (name) => {
    const text = readFileSync(path.join('docs/decisions', name), 'utf8');
    const headings = [...text.matchAll(/^#+ .*$/gm)].map(([heading]) => heading);

    expect(headings[0]).toMatch(new RegExp(`^# ${String(Number(name.slice(0, 4)))}\\. `));
    expect(headings.slice(1)).toEqual(['## Background', '## Decision', '## Consequences']);
  });
});
