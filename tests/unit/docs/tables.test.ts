import { readFileSync } from 'node:fs';

import dotenv from 'dotenv';

import { SECRET_VARIABLES } from '../../../src/config/env.ts';
import {
  DEFAULT_JOB_OPTIONS,
  POLICY_VALUES,
  REASON_CODES,
  type JobOptions,
  type Policies,
} from '../../../src/engine/contract.ts';
import { ERRORS } from '../../../src/errors/codes.ts';
import { codeOf, readTables } from './markdown.ts';

describe('docs/errors.md', () => {
  const rows = readTables('docs/errors.md');

  it('tells status and recovery of every error code, and of nothing else', () => {
    const documented = rows.map(({ code, status, recovery }) => [
      codeOf(code),
      { status: Number(status), recovery },
    ]);
    const actual = Object.entries(ERRORS).map(([code, { status, recovery }]) => [
      code,
      { status, recovery },
    ]);

    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(actual));
    expect(documented).toHaveLength(actual.length);
  });

  it('says of each what it means and what to do next', () => {
    const incomplete = rows.filter((row) => !row.meaning || !row['what to do next']);

    expect(incomplete).toEqual([]);
  });
});

describe('docs/policies.md', () => {
  it('lists every policy with its values, the default first', () => {
    const documented = readTables('docs/policies.md', 'Policies').map((row) => [
      codeOf(row.policy),
      [...(row['values (the default first)'] ?? '').matchAll(/`([^`]+)`/g)].map(
        ([, value]) => value,
      ),
    ]);
    const names = Object.keys(POLICY_VALUES) as (keyof Policies)[];
    const actual = names.map((name) => {
      const standard = DEFAULT_JOB_OPTIONS.policies[name];
      return [name, [standard, ...POLICY_VALUES[name].filter((value) => value !== standard)]];
    });

    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(actual));
    expect(documented).toHaveLength(actual.length);
  });

  it('says of each value of a policy what it does', () => {
    const silent = readTables('docs/policies.md', 'Policies').flatMap((row) => {
      const name = codeOf(row.policy) as keyof Policies;
      const values: readonly string[] = POLICY_VALUES[name];
      return values.filter((value) => !row['what each value does']?.includes(`\`${value}\`:`));
    });

    expect(silent).toEqual([]);
  });

  it('lists every job option with its default', () => {
    const documented = readTables('docs/policies.md', 'Job options').map(
      ({ option, default: text }) => [
        codeOf(option),
        text === 'see above' ? text : (JSON.parse(codeOf(text)) as unknown),
      ],
    );
    const names = Object.keys(DEFAULT_JOB_OPTIONS) as (keyof JobOptions)[];
    const actual = names.map((name) => [
      name,
      name === 'policies' ? 'see above' : DEFAULT_JOB_OPTIONS[name],
    ]);

    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(actual));
    expect(documented).toHaveLength(actual.length);
  });

  it('explains every reason code, and nothing else', () => {
    const documented = readTables('docs/policies.md', 'Reason codes').map(({ code }) =>
      codeOf(code),
    );

    expect(documented.sort()).toEqual([...REASON_CODES].sort());
  });
});

describe('docs/configuration.md', () => {
  const rows = readTables('docs/configuration.md');

  it('names every variable of the environment, and nothing else', () => {
    const example = dotenv.parse(readFileSync('.env.example', 'utf8'));

    expect(rows.map(({ variable }) => codeOf(variable)).sort()).toEqual(
      Object.keys(example).sort(),
    );
  });

  it('tells which of them may be given as a file', () => {
    const documented = rows.filter(({ file }) => file === 'yes');

    expect(documented.map(({ variable }) => codeOf(variable)).sort()).toEqual(
      [...SECRET_VARIABLES].sort(),
    );
  });
});
