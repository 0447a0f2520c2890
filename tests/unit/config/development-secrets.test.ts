import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { withDevelopmentSecrets } from '../../../src/config/development-secrets.ts';
import { readEnv } from '../../../src/config/env.ts';

describe('withDevelopmentSecrets', () => {
  let dataDir: string;

  beforeEach(() => {
    dataDir = mkdtempSync(path.join(os.tmpdir(), 'hub-secrets-'));
  });

  afterEach(() => {
    rmSync(dataDir, { recursive: true });
  });

  it('makes keys once and finds them again', () => {
    const first = withDevelopmentSecrets(readEnv({ DATA_DIR: dataDir }));
    const second = withDevelopmentSecrets(readEnv({ DATA_DIR: dataDir }));

    expect(first.jwtSecrets[0]?.secret).toHaveLength(32);
    expect(second.jwtSecrets).toEqual(first.jwtSecrets);
    expect(second.connectionKeys).toEqual(first.connectionKeys);
    expect(first.jwtSecrets).not.toEqual(first.connectionKeys);
  });

  it('keeps them from other users', () => {
    withDevelopmentSecrets(readEnv({ DATA_DIR: dataDir }));

    expect(statSync(path.join(dataDir, 'secrets.json')).mode & 0o777).toBe(0o600);
  });

  it('prefers what is set', () => {
    const text = `mine:${randomBytes(40).toString('base64')}`;

    const env = withDevelopmentSecrets(readEnv({ DATA_DIR: dataDir, JWT_SECRETS: text }));

    expect(env.jwtSecrets.map(({ kid }) => kid)).toEqual(['mine']);
    expect(env.connectionKeys).toHaveLength(1);
  });
});
