import { lookup } from 'node:dns/promises';

import { AppError } from '../errors/app-error.ts';
import type { EmbeddedServer, HubSettings } from './hub.ts';
import { invalidInput } from './invalid-input.ts';
import { endsInNumber, isAddress, isInside, reachOf } from './outbound-addresses.ts';

export interface Destination {
  readonly host: string;
  readonly port: number;
}

/** All addresses of a name. Replaced in tests only. */
export type Lookup = (host: string) => Promise<readonly string[]>;

export type OutboundSettings = Pick<
  HubSettings,
  'nodeEnv' | 'connectionHostsAllowed' | 'embeddedServer'
>;

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_-]{1,63})*$/;
const LOWEST_PORT = 1024;
/** Services that must not be sent a PostgreSQL or MySQL greeting: Docker, etcd, Kubernetes, Redis, Elasticsearch, memcached. */
const REFUSED_PORTS: readonly number[] = [
  2375, 2376, 2379, 2380, 6379, 6443, 9200, 10250, 11211, 27017,
];

/**
 * Where the hub may connect to on behalf of a user: the address that was checked, which is then dialled and not looked up again.
 * An operator opens more through CONNECTION_HOSTS_ALLOWED; private networks are open outside production.
 * @throws AppError HOST_NOT_ALLOWED, VALIDATION_FAILED for the port, or the resolver's own error for an unknown name
 */
export async function resolveHost(
  { host, port }: Destination,
  settings: OutboundSettings,
  resolve: Lookup = lookupAll,
): Promise<string> {
  const name = normalise(host);
  if (isEmbedded({ host, port }, settings.embeddedServer)) return settings.embeddedServer.host;

  const addresses = isAddress(name) ? [name] : await resolve(assertName(name));
  const [first] = addresses;
  if (first === undefined) throw refuse();
  if (settings.connectionHostsAllowed.some((allowed) => allowed.toLowerCase() === name))
    return first;

  const isListed = (address: string) => isInside(address, settings.connectionHostsAllowed);
  // One answer that is not allowed spoils them all: which of them gets dialled is the resolver's choice.
  if (!addresses.every((address) => isListed(address) || isOpen(address, settings))) throw refuse();
  if (!addresses.every(isListed)) assertPort(port);
  return first;
}

/** True for the PostgreSQL that the hub started itself, however its address is written. */
export function isEmbedded(
  { host, port }: Destination,
  embedded: EmbeddedServer | null,
): embedded is EmbeddedServer {
  if (embedded?.port !== port) return false;
  const name = normalise(host);
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  return isAddress(name) && isInside(name, [embedded.host]);
}

function normalise(host: string): string {
  const bare = /^\[(.*)\]$/.exec(host)?.[1] ?? host;
  return bare.toLowerCase().replace(/\.$/, '');
}

function assertName(name: string): string {
  // No name: a path of a socket, an address in disguise, something for a URL parser to stumble over.
  const isLocal = name === 'localhost' || name.endsWith('.localhost');
  if (!HOST_NAME.test(name) || endsInNumber(name) || name === 'metadata.google.internal') {
    throw refuse();
  }
  return isLocal ? 'localhost' : name;
}

function isOpen(address: string, { nodeEnv }: OutboundSettings): boolean {
  const reach = reachOf(address);
  return reach === 'open' || (reach === 'private' && nodeEnv !== 'production');
}

function assertPort(port: number): void {
  if (port >= LOWEST_PORT && !REFUSED_PORTS.includes(port)) return;
  throw invalidInput({ error: 'Port is not allowed', field: 'options.port' });
}

function refuse(): AppError {
  return new AppError('HOST_NOT_ALLOWED', { field: 'options.host' });
}

/** IPv4 first: where a network has no IPv6, the pinned address would not be reachable. */
async function lookupAll(host: string): Promise<string[]> {
  const answers = await lookup(host, { all: true, order: 'ipv4first' });
  return answers.map(({ address }) => address);
}
