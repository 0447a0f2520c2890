import type { Request } from 'express';

import type { Principal } from '../services/principal.ts';

/** Who asks, on a route that is not public. */
export function getPrincipal({ principal }: Request): Principal {
  if (!principal) throw new Error('This route needs a scope: its handler asks who is there');
  return principal;
}
