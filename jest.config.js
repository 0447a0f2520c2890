/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/tests/{unit,contract,integration,scenarios}/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  // tsconfig's isolatedModules makes ts-jest transpile file by file; types are checked once, by tsc.
  transform: { '\\.ts$': ['ts-jest', { useESM: true, diagnostics: false }] },
  globalSetup: '<rootDir>/tests/helpers/global-setup.ts',
  globalTeardown: '<rootDir>/tests/helpers/global-teardown.ts',
  // Two cores run PostgreSQL as well; more workers only make time limits miss.
  maxWorkers: 2,
  testTimeout: 30_000,
};
