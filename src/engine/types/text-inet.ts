import { isIPv4, isIPv6 } from 'node:net';

import { notOfType, type TextEncoder } from './text-problem.ts';

/** An address, with or without the length of a network: `192.168.0.1/24`, `2001:db8::1`. */
export const encodeInet: TextEncoder = (text) => {
  const [address = '', length, ...rest] = text.split('/');
  if (rest.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length)))
    return notOfType(text, 'inet');
  const bits = isIPv4(address) ? 32 : isPlainIPv6(address) ? 128 : 0;
  if (bits === 0 || Number(length ?? 0) > bits) return notOfType(text, 'inet');
  const printed = bits === 32 ? address : ipv6Text(wordsOf(address));
  return length === undefined || Number(length) === bits
    ? printed
    : `${printed}/${String(Number(length))}`;
};

/** PostgreSQL knows no zones. */
function isPlainIPv6(address: string): boolean {
  return !address.includes('%') && isIPv6(address);
}

function wordsOf(address: string): number[] {
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [before = '', after] = hex.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros = after === undefined ? 0 : 8 - head.length - tail.length;
  return [...head, ...Array<string>(zeros).fill('0'), ...tail].map((word) => parseInt(word, 16));
}

/** The longest run of zeros is left out, and what stands for an IPv4 address ends like one. */
function ipv6Text(words: readonly number[]): string {
  const run = longestZeroRun(words);
  const embedsIPv4 =
    run.start === 0 && (run.length === 6 || (run.length === 5 && words[5] === 0xffff));
  const shown = embedsIPv4 ? words.slice(0, 6) : words;
  const hex = (part: readonly number[]): string => part.map((word) => word.toString(16)).join(':');
  const head =
    run.length < 2
      ? hex(shown)
      : `${hex(shown.slice(0, run.start))}::${hex(shown.slice(run.start + run.length))}`;
  if (!embedsIPv4) return head;
  const [high = 0, low = 0] = words.slice(6);
  const dotted = [high >> 8, high & 255, low >> 8, low & 255].join('.');
  return head.endsWith(':') ? `${head}${dotted}` : `${head}:${dotted}`;
}

function longestZeroRun(words: readonly number[]): {
  readonly start: number;
  readonly length: number;
} {
  let best = { start: -1, length: 0 };
  let start = 0;
  for (const [index, word] of [...words, 1].entries()) {
    if (word === 0) continue;
    if (index - start > best.length) best = { start, length: index - start };
    start = index + 1;
  }
  return best;
}
