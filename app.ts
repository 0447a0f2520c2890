import express, { type Express } from 'express';

import { crossOrigin } from './src/middlewares/cross-origin.ts';
import { errorHandler } from './src/middlewares/error-handler.ts';
import { notFound } from './src/middlewares/not-found.ts';
import { requestContext } from './src/middlewares/request-context.ts';
import { requestLog } from './src/middlewares/request-log.ts';
import { noStore, securityHeaders } from './src/middlewares/security-headers.ts';
import { allRoutes } from './src/routes/index.ts';
import { mountRoutes } from './src/routes/mount.ts';
import type { Hub } from './src/services/hub.ts';

export interface AppDeps {
  readonly hub: Hub;
  /** True once the process has begun to stop. */
  readonly isDraining?: () => boolean;
}

/** Builds the HTTP application. Opens no port and no connection, and reads no environment. */
export function createApp({ hub, isDraining = () => false }: AppDeps): Express {
  const { settings, log } = hub;
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', settings.trustedProxies.length > 0 ? [...settings.trustedProxies] : false);

  app.use(requestContext);
  app.use(requestLog(log));
  app.use(securityHeaders());
  app.use(crossOrigin(settings.corsOrigins));
  app.use('/api/v1/auth', noStore);
  mountRoutes(app, allRoutes(hub, { isDraining }), hub);
  app.use(notFound);
  app.use(errorHandler(log));
  return app;
}
