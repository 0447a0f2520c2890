/**
 * Windows-1252 as the WHATWG's Encoding Standard has it: every byte is a character, the five that Microsoft left unassigned are
 * the control characters of their number. So nothing is lost, and the bytes can be made again.
 */
const HIGH_CONTROLS = [
  0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039,
  0x0152, 0x8d, 0x017d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc,
  0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
];

const CODES = Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x80 && byte <= 0x9f ? (HIGH_CONTROLS[byte - 0x80] ?? byte) : byte,
);
const UTF8 = CODES.map((code) => Buffer.from(String.fromCharCode(code), 'utf8'));

/** The text's bytes in UTF-8. */
export function cp1252ToUtf8(bytes: Uint8Array): Buffer {
  const utf8 = Buffer.allocUnsafe(bytes.length * 3);
  let length = 0;
  for (const byte of bytes) {
    if (byte < 0x80) utf8[length++] = byte;
    else for (const part of UTF8[byte] ?? []) utf8[length++] = part;
  }
  return utf8.subarray(0, length);
}

/** Null where a character has no byte. */
export function encodeCp1252(text: string): Uint8Array | null {
  const bytes = Array.from(text, (character) => CODES.indexOf(character.codePointAt(0) ?? -1));
  return bytes.includes(-1) ? null : Uint8Array.from(bytes);
}
