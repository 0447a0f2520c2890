import { jsonbText, type JsonbProblem } from './jsonb-text.ts';
import { beyondType, notOfType, type TextEncoder, type TextProblem } from './text-problem.ts';

const TRUTHS = new Map([
  ...['true', 't', 'yes', 'y', 'on', '1'].map((word) => [word, 't'] as const),
  ...['false', 'f', 'no', 'n', 'off', '0'].map((word) => [word, 'f'] as const),
]);

/** The words that PostgreSQL itself takes, whole. */
export const encodeBoolean: TextEncoder = (text) =>
  TRUTHS.get(text.toLowerCase()) ?? notOfType(text, 'boolean');

const UUID =
  /^(?:\{[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32})$/i;

export const encodeUuid: TextEncoder = (text) => {
  if (!UUID.test(text)) return notOfType(text, 'uuid');
  const hex = text.replace(/[{}-]/g, '').toLowerCase();
  return [8, 12, 16, 20, 32].map((end, part) => hex.slice([0, 8, 12, 16, 20][part], end)).join('-');
};

const HEX = /^\\x(?:[0-9a-f]{2})*$/i;

/** `\x` and hex digits, as PostgreSQL prints bytes. `0x1A` is a text. */
export const encodeBytea: TextEncoder = (text) =>
  HEX.test(text) ? text.toLowerCase() : notOfType(text, 'bytea');

/** The text stays as it is, spaces and doubled keys included. */
export const encodeJson: TextEncoder = (text) =>
  isJson(text) ? text : { reasonCode: 'INVALID_JSON', message: 'The text is no JSON' };

/** In the form in which PostgreSQL prints it. */
export const encodeJsonb: TextEncoder = (text) => {
  const rendered = jsonbText(text);
  return 'problem' in rendered ? JSONB_PROBLEMS[rendered.problem] : rendered.text;
};

export const JSONB_PROBLEMS: Readonly<Record<JsonbProblem, TextProblem>> = {
  syntax: { reasonCode: 'INVALID_JSON', message: 'The text is no JSON' },
  nul: { reasonCode: 'JSON_NUL', message: 'The JSON holds \\u0000, which jsonb cannot store' },
  duplicateKey: {
    reasonCode: 'INVALID_JSON',
    message: 'The JSON holds an object with two equal keys, of which jsonb would keep one',
  },
  number: { reasonCode: 'OUT_OF_RANGE', message: 'The JSON holds a number beyond numeric' },
  tooDeep: { reasonCode: 'INVALID_JSON', message: 'The JSON is nested too deeply' },
  surrogate: { reasonCode: 'INVALID_JSON', message: 'The JSON holds half a surrogate pair' },
};

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** `varchar(n)`: what is longer is not cut. `char(n)`: what is shorter is padded, as PostgreSQL does itself. */
export function stringEncoder(targetType: string): TextEncoder {
  const limit = /\((\d+)\)$/.exec(targetType)?.[1];
  if (limit === undefined) return (text) => text;
  const isPadded = targetType.startsWith('char');
  const max = Number(limit);
  return (text) => {
    const characters = countCharacters(text, max);
    if (characters > max) return beyondType(text, targetType);
    return isPadded ? text + ' '.repeat(max - characters) : text;
  };
}

/** Code points; only exact up to `max`. */
function countCharacters(text: string, max: number): number {
  let count = 0;
  for (let index = 0; index < text.length && count <= max; index++) {
    const code = text.charCodeAt(index);
    // The second half of a pair is no character of its own.
    if (code < 0xdc00 || code > 0xdfff) count++;
  }
  return count;
}
