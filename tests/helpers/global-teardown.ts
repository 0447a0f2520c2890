import { removeTestServer } from './test-server.ts';

/** Runs once after all test files. */
export default async function globalTeardown(): Promise<void> {
  await removeTestServer();
}
