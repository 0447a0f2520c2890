import { isAppError, AppError } from '../../../errors/app-error.ts';
import type { Plan } from '../../contract.ts';
import type { Target } from '../../target/target.ts';

/**
 * Throws TARGET_IS_SOURCE where the job would write over the schema that it reads, whatever names the two connections give the
 * server. With `onExisting: drop` that would be the end of the data.
 */
export async function assertNotSource(target: Target, plan: Plan): Promise<void> {
  const { place } = plan.source;
  if (place === undefined) return;
  const here = await databaseOf(target);
  if (here === null || place !== `${here}/${plan.options.targetSchema}`) return;
  throw new AppError('TARGET_IS_SOURCE', {
    schema: plan.options.targetSchema,
    field: 'options.targetSchema',
  });
}

/** As `Catalog.place` writes it; null where the server does not tell. */
async function databaseOf(target: Target): Promise<string | null> {
  try {
    const [row] = await target.query<{ place: string }>(
      'looking which database this is',
      `SELECT 'postgres:' || s.system_identifier || '/' || d.oid AS place
         FROM pg_control_system() AS s, pg_database AS d WHERE d.datname = current_database()`,
    );
    return row?.place ?? null;
  } catch (error) {
    if (isAppError(error, 'TARGET_PERMISSION_DENIED') || isAppError(error, 'TARGET_REFUSED'))
      return null;
    throw error;
  }
}
