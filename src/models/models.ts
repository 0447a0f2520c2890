import type { Sequelize } from 'sequelize';

import { Adjustment } from './adjustment.ts';
import { AuditTrail } from './audit-trail.ts';
import { Certificate } from './certificate.ts';
import { Connection } from './connection.ts';
import { Lease } from './lease.ts';
import { MigrationChunk } from './migration-chunk.ts';
import { MigrationJob } from './migration-job.ts';
import { MigrationLog } from './migration-log.ts';
import { MigrationTable } from './migration-table.ts';
import { RefreshToken } from './refresh-token.ts';
import { RejectedRow } from './rejected-row.ts';
import { Session } from './session.ts';
import { SourceFile } from './source-file.ts';
import { User } from './user.ts';

/** Every model of the hub. */
export const MODELS = [
  User,
  Session,
  RefreshToken,
  Connection,
  SourceFile,
  MigrationJob,
  MigrationTable,
  MigrationChunk,
  RejectedRow,
  Adjustment,
  Certificate,
  MigrationLog,
  AuditTrail,
  Lease,
] as const;

/**
 * Binds all models to this instance and sets their associations. Models are classes, so a process has one such binding:
 * a second call moves them all to the other instance.
 */
export function initModels(sequelize: Sequelize): void {
  for (const model of MODELS) model.initModel(sequelize);
  associate();
}

function associate(): void {
  User.hasMany(Session, { as: 'sessions', foreignKey: 'userId' });
  Session.belongsTo(User, { as: 'user', foreignKey: 'userId' });
  Session.hasMany(RefreshToken, { as: 'refreshTokens', foreignKey: 'sessionId' });
  RefreshToken.belongsTo(Session, { as: 'session', foreignKey: 'sessionId' });

  MigrationJob.belongsTo(Connection, { as: 'source', foreignKey: 'sourceId' });
  MigrationJob.belongsTo(Connection, { as: 'target', foreignKey: 'targetId' });
  MigrationJob.hasMany(MigrationTable, { as: 'tables', foreignKey: 'jobId' });
  MigrationJob.hasMany(MigrationLog, { as: 'logs', foreignKey: 'jobId' });
  MigrationTable.belongsTo(MigrationJob, { as: 'job', foreignKey: 'jobId' });
  MigrationTable.hasMany(MigrationChunk, { as: 'chunks', foreignKey: 'tableId' });
  MigrationChunk.belongsTo(MigrationTable, { as: 'table', foreignKey: 'tableId' });
  RejectedRow.belongsTo(MigrationTable, { as: 'table', foreignKey: 'tableId' });
  Adjustment.belongsTo(MigrationTable, { as: 'table', foreignKey: 'tableId' });
}
