import type { Express } from 'express';

import { allRoutes } from '../../../src/routes/index.ts';
import { allowedMethods, mountRoutes } from '../../../src/routes/mount.ts';
import { METHODS, type Method, type Route } from '../../../src/routes/define-route.ts';
import { SCOPES } from '../../../src/services/scopes.ts';
import { buildUser, startTestApi, type TestApi } from '../../helpers/api.ts';

/** What of Express' own router the test looks at. */
interface Layer {
  readonly name: string;
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
}

/** Whoever may not have a scope of its own has a reason. */
const WITHOUT_SCOPE: Readonly<Record<string, string>> = {
  'get /livez': 'public',
  'get /readyz': 'public',
  'post /api/v1/auth/login': 'public',
  'post /api/v1/auth/refresh': 'public',
  'post /api/v1/auth/logout': 'signed-in',
  'get /api/v1/auth/session': 'signed-in',
};

describe('the route table', () => {
  let api: TestApi;
  let routes: Route[];

  const keyOf = ({ method, path }: Pick<Route, 'method' | 'path'>) => `${method} ${path}`;
  const call = (method: Method, path: string) =>
    api.client[method](path.replaceAll(/:\w+/g, '0191a5b4-0000-7000-8000-000000000000'));

  beforeAll(async () => {
    api = await startTestApi();
    routes = allRoutes(api.hub, { isDraining: () => false });
  });

  afterAll(async () => {
    await api.close();
  });

  it('names each route once, with a scope that exists', () => {
    const keys = routes.map(keyOf);

    expect(new Set(keys).size).toBe(keys.length);
    for (const { scope } of routes) expect([...SCOPES, 'public', 'signed-in']).toContain(scope);
  });

  it('opens to everybody what is listed here, and nothing else', () => {
    const open = routes.filter(({ scope }) => scope === 'public' || scope === 'signed-in');

    expect(Object.fromEntries(open.map((route) => [keyOf(route), route.scope]))).toEqual(
      WITHOUT_SCOPE,
    );
  });

  it('holds every route that the app answers, and the app answers every route of it', () => {
    const answered = routesOf(api.app);

    expect(answered.sort()).toEqual(routes.map(keyOf).sort());
  });

  it('would be caught leaving out a route that somebody adds by hand', () => {
    const layers = layersOf(api.app);
    const length = layers.length;
    api.app.get('/by-hand', (_request, response) => {
      response.end();
    });

    expect(routesOf(api.app)).toContain('get /by-hand');

    layers.splice(length);
  });

  it('E7: is as strict with every route as the table says', async () => {
    const viewer = await buildUser(api, 'viewer');
    const operator = await buildUser(api, 'operator');
    for (const route of routes) {
      if (route.scope === 'public') continue;
      const { method, path, scope } = route;
      const anonymous = await call(method, path);
      expect([keyOf(route), anonymous.status]).toEqual([keyOf(route), 401]);
      if (path.endsWith('/logout') || scope === 'signed-in') continue;

      const asViewer = await call(method, path).set(viewer.headers);
      const asOperator = await call(method, path).set(operator.headers);

      const isForViewers = scope === 'jobs:read';
      const isForOperators = /^(jobs|connections):/.test(scope);
      expect([keyOf(route), asViewer.status === 403]).toEqual([keyOf(route), !isForViewers]);
      expect([keyOf(route), asOperator.status === 403]).toEqual([keyOf(route), !isForOperators]);
      expect(asOperator.status).toBeLessThan(500);
    }
  }, 60_000);

  it('I2: answers OPTIONS and 405 on every path from what it has there', async () => {
    for (const [path, group] of Map.groupBy(routes, (route) => route.path)) {
      const allow = allowedMethods(group);
      const options = await api.client.options(path);
      expect([path, options.status, options.headers.allow]).toEqual([path, 204, allow]);

      const missing = METHODS.find((method) => !allow.includes(method.toUpperCase()));
      const refused = await (missing ? call(missing, path) : api.client.put(path));
      expect([path, refused.status, refused.headers.allow]).toEqual([path, 405, allow]);
    }
  });

  it('is all that mountRoutes puts into an app', () => {
    const before = layersOf(api.app).length;
    mountRoutes(api.app, [], api.hub);

    expect(layersOf(api.app)).toHaveLength(before);
  });
});

function layersOf(app: Express): Layer[] {
  return (app as unknown as { router: { stack: Layer[] } }).router.stack;
}

/** Every method and path that has a handler of its own; OPTIONS and the refusal of other methods are on all paths. */
function routesOf(app: Express): string[] {
  return layersOf(app).flatMap(({ route }) => {
    if (!route) return [];
    const methods = Object.keys(route.methods).filter(
      (name) => !['options', '_all'].includes(name),
    );
    return methods.map((method) => `${method} ${route.path}`);
  });
}
