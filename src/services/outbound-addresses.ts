import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Cloud metadata services that lie outside the ranges refused below (the others are link-local or shared addresses). */
const METADATA_ADDRESSES: readonly string[] = ['fd00:ec2::254', '168.63.129.16', '192.0.0.192'];
/** IPv4-compatible addresses, which ipaddr.js takes for ordinary ones: some systems dial the IPv4 address in them. */
const IPV4_COMPATIBLE = ipaddr.IPv6.parseCIDR('::/96');

/**
 * `open`: anybody may be sent there; `private`: a network of one's own; `refused`: this machine, its neighbours by link,
 * metadata services, and wrappings of IPv4 in IPv6 that lead to any of them.
 */
export type Reach = 'open' | 'private' | 'refused';

export function reachOf(text: string): Reach {
  const address = ipaddr.process(text);
  if (METADATA_ADDRESSES.includes(address.toString())) return 'refused';
  if (isIpv6(address) && address.match(IPV4_COMPATIBLE)) return 'refused';
  const range = address.range();
  if (range === 'unicast') return 'open';
  return range === 'private' || range === 'uniqueLocal' ? 'private' : 'refused';
}

/** True for an address in its one usual spelling. */
export function isAddress(text: string): boolean {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return true;
  return text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text);
}

/**
 * True for what some resolvers read as an IPv4 address though it does not look like one: `0`, `127.1`, `0x7f.1`, `2130706433`
 * (WHATWG URL, "ends in a number").
 */
export function endsInNumber(host: string): boolean {
  const last = host.split('.').at(-1) ?? '';
  return /^(\d+|0x[0-9a-f]*)$/i.test(last);
}

/** @param networks addresses and CIDR ranges; names among them never match */
export function isInside(text: string, networks: readonly string[]): boolean {
  const address = ipaddr.process(text);
  return networks.some((network) => {
    if (!network.includes('/')) {
      return isAddress(network) && ipaddr.process(network).toString() === address.toString();
    }
    const range = ipaddr.parseCIDR(network);
    return range[0].kind() === address.kind() && address.match(range);
  });
}

function isIpv6(address: Address): address is ipaddr.IPv6 {
  return address.kind() === 'ipv6';
}
