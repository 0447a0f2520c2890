import {
  RUN_FOLDER_VARIABLE,
  runFolder,
  SERVER_URL_VARIABLE,
  startTestServer,
} from './test-server.ts';

/** Runs once before all test files, in Jest's own process. */
export default async function globalSetup(): Promise<void> {
  const server = await startTestServer();
  process.env[SERVER_URL_VARIABLE] = server.url;
  process.env[RUN_FOLDER_VARIABLE] = runFolder(process.pid);
}
