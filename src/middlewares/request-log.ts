import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Request, RequestHandler } from 'express';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';

/** Probes come every few seconds and say nothing when they go well. */
const PROBES: readonly string[] = ['/livez', '/readyz'];

/** One line for each request. Only what is listed here is written: headers, bodies and query strings hold secrets. */
export function requestLog(log: Logger): RequestHandler {
  return pinoHttp({
    logger: log,
    genReqId: (request) => (request as unknown as Request).auditContext.requestId ?? '',
    quietReqLogger: true,
    customAttributeKeys: { reqId: 'requestId' },
    wrapSerializers: false,
    serializers: { req: describeRequest, res: describeResponse },
    customLogLevel: (request, response) => {
      if (response.statusCode >= 500) return 'warn';
      return PROBES.includes(request.url) ? 'trace' : 'info';
    },
    customSuccessMessage: () => 'request completed',
    customErrorMessage: () => 'request failed',
    // The error handler has logged it, once and without secrets.
    customErrorObject: (request, response) => ({ req: request, res: response }),
  });
}

function describeRequest(request: IncomingMessage) {
  const { originalUrl, ip } = request as unknown as Request;
  return { method: request.method, path: originalUrl.split('?', 1)[0], ip };
}

function describeResponse(response: ServerResponse) {
  return { status: response.statusCode };
}
