import { ConnectionError, DatabaseError, TimeoutError } from 'sequelize';

import { sqlStateOf } from './transaction.ts';

/** SQLSTATEs of a server that goes away, is not there yet, or has no room for another connection. */
const GOING_AWAY = /^(08|53300|57P0[1-3])/;

/**
 * True where the hub's own database did not answer: nothing is wrong with what was asked, and it can be asked again. A query in
 * flight when the server goes away fails without an SQLSTATE, with nothing but words.
 */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return true;
  if (!(error instanceof DatabaseError)) return false;
  return (
    GOING_AWAY.test(sqlStateOf(error) ?? '') ||
    /connection terminated|ECONNRESET|EPIPE/i.test(error.message)
  );
}
