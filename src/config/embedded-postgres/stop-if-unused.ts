import { stopIfUnused } from '../embedded-postgres.ts';

// Run by EmbeddedPostgres.stopSync() with the data folder as its only argument.
await stopIfUnused({ dataDir: process.argv[2] ?? '' });
