import ipaddr from 'ipaddr.js';

/*
 * Readers of single values. Each throws an Error whose message goes on after the variable's name
 * ("PORT must be …") and never holds the value: it may be a secret pasted into the wrong line.
 */

export interface NamedSecret {
  readonly kid: string;
  readonly secret: Buffer;
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};
const HOST_NAME = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_-]{1,63})*$/i;

export const isEmail = /^[^\s@]+@[^\s@]+$/;

export function parseText(pattern: RegExp, complaint: string): (text: string) => string {
  return (text) => {
    if (!pattern.test(text)) throw new Error(complaint);
    return text;
  };
}

export function parseChoice<Choice extends string>(
  choices: readonly Choice[],
): (text: string) => Choice {
  return (text) => {
    const choice = choices.find((known) => known === text);
    if (choice === undefined) throw new Error(`must be one of ${choices.join(', ')}`);
    return choice;
  };
}

export function parseBoolean(text: string): boolean {
  return parseChoice(['true', 'false'])(text) === 'true';
}

export function parseInteger(range: { min: number; max: number }): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    if (number >= range.min && number <= range.max) return number;
    throw new Error(`must be a whole number from ${range.min} to ${range.max}`);
  };
}

/** A number of bytes, also with a unit: `500MiB`, `10GiB`. */
export function parseBytes(text: string): number {
  const [, digits, unit = ''] = /^(\d+) ?(|KiB|MiB|GiB|TiB)$/.exec(text) ?? [];
  const bytes = Number(digits) * (BYTE_UNITS[unit] ?? NaN);
  if (bytes >= 1 && Number.isSafeInteger(bytes)) return bytes;
  throw new Error('must be a number of bytes, or one with KiB, MiB, GiB or TiB');
}

export function parsePassword(text: string): string {
  if (text.length < 12) throw new Error('must have at least 12 characters');
  // bcrypt ignores whatever comes after the 72nd byte.
  if (Buffer.byteLength(text) > 72) throw new Error('must not be longer than 72 bytes');
  return text;
}

/** `kid2:base64,kid1:base64` → the secrets in that order. */
export function parseKeys(size: {
  minBytes: number;
  maxBytes?: number;
}): (text: string) => NamedSecret[] {
  return (text) => {
    const keys = splitList(text).map((entry) => parseKey(entry, size));
    if (keys.length === 0) throw new Error('holds no key');
    if (new Set(keys.map(({ kid }) => kid)).size < keys.length) {
      throw new Error('gives the same key id twice');
    }
    return keys;
  };
}

function parseKey(entry: string, size: { minBytes: number; maxBytes?: number }): NamedSecret {
  const [, kid, base64] = /^([\w.-]{1,64}):([\w+/-]+={0,2})$/.exec(entry) ?? [];
  if (kid === undefined || base64 === undefined) {
    throw new Error('must look like "kid2:base64,kid1:base64"');
  }
  const secret = Buffer.from(base64, 'base64');
  if (size.maxBytes === size.minBytes && secret.length !== size.minBytes) {
    throw new Error(`must hold exactly ${size.minBytes} bytes in each key`);
  }
  if (secret.length < size.minBytes) {
    throw new Error(`must hold at least ${size.minBytes} bytes in each key`);
  }
  // 32 random bytes practically never have fewer than 20 different ones; a typed-in text may.
  if (new Set(secret).size < 16) {
    throw new Error('holds a key that is not random: make one with "openssl rand -base64 32"');
  }
  return { kid, secret };
}

/** Exact origins only: a pattern or `*` would let foreign pages act with a user's cookies. */
export function parseOrigins(text: string): string[] {
  return splitList(text).map((origin) => {
    const url = URL.canParse(origin) ? new URL(origin) : null;
    if (url?.origin === origin && /^https?:$/.test(url.protocol)) return origin;
    throw new Error('must list origins like https://app.example.com, without a path or "*"');
  });
}

/** Networks that are trusted to tell the client's address: addresses or CIDR ranges. */
export function parseNetworks(text: string): string[] {
  return splitList(text).map((network) => {
    if (!isNetwork(network)) throw new Error('must list addresses or CIDR ranges like 10.0.0.0/8');
    if (network.endsWith('/0')) throw new Error('must not trust every address (/0)');
    return network;
  });
}

/** Hosts that may be dialled: addresses, CIDR ranges or names. */
export function parseHosts(text: string): string[] {
  return splitList(text).map((host) => {
    if (isNetwork(host) || (HOST_NAME.test(host) && !/^[\d.]+$/.test(host))) return host;
    throw new Error('must list host names, addresses or CIDR ranges');
  });
}

function isNetwork(text: string): boolean {
  const [address = ''] = text.split('/');
  // ipaddr.js also takes "127.1" and "0x7f000001", which two programs may read in two ways.
  if (!ipaddr.IPv6.isValid(address) && !ipaddr.IPv4.isValidFourPartDecimal(address)) return false;
  return address === text || ipaddr.isValidCIDR(text);
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
