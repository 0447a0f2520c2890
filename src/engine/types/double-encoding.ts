import { isUtf8 } from 'node:buffer';

/** Bytes 0x80 to 0x9f of Windows code page 1252 as MySQL reads them: what is unassigned stands for itself. */
const HIGH_CONTROLS = [
  0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039,
  0x0152, 0x8d, 0x017d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc,
  0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
];
const BYTE_BY_POINT = new Map(HIGH_CONTROLS.map((point, index) => [point, 0x80 + index]));

/**
 * Text that was UTF-8, was taken for Windows-1252 and encoded once more (`Ã©` for `é`): its bytes before that. Null where the
 * text cannot be that.
 */
export function repairDoubleEncoding(utf8: Buffer): Buffer | null {
  const text = utf8.toString('utf8');
  const bytes = Buffer.alloc(text.length);
  let isAscii = true;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const isDirect = code < 0x80 || (code >= 0xa0 && code <= 0xff);
    const byte = isDirect ? code : BYTE_BY_POINT.get(code);
    if (byte === undefined) return null;
    if (byte >= 0x80) isAscii = false;
    bytes[index] = byte;
  }
  return !isAscii && isUtf8(bytes) ? bytes : null;
}
