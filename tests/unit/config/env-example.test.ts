import { readFileSync } from 'node:fs';

import dotenv from 'dotenv';

import { readEnv, SECRET_VARIABLES } from '../../../src/config/env.ts';

const text = readFileSync('.env.example', 'utf8');
const example = dotenv.parse(text);

/** The names that readEnv asks for, found by looking over its shoulder. */
function namesRead(): string[] {
  const names = new Set<string>();
  const source = readFileSync('src/config/env.ts', 'utf8');
  for (const [, name] of source.matchAll(/\bread\(\s*'([A-Z_]+)'/g)) if (name) names.add(name);
  return [...names].sort();
}

describe('.env.example', () => {
  it('names exactly the variables that are read', () => {
    expect(Object.keys(example).sort()).toEqual(namesRead());
  });

  it('can be used as it is, and changes no default', () => {
    expect(readEnv(example)).toEqual(readEnv({}));
  });

  it('explains each variable in the line above it', () => {
    const lines = text.split('\n');
    const unexplained = Object.keys(example).filter((name) => {
      const at = lines.findIndex((line) => line.startsWith(`${name}=`));
      return !lines[at - 1]?.startsWith('# ');
    });

    expect(unexplained).toEqual([]);
  });

  it('marks each secret that may come from a file', () => {
    const marked = [...text.matchAll(/^# \*?\+ .*\n([A-Z_]+)=/gm)].map(([, name]) => name);

    expect(marked.sort()).toEqual([...SECRET_VARIABLES].sort());
  });
});
