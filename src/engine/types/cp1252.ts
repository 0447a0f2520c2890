/** Bytes 0x80 to 0x9f of Windows code page 1252; 0 = unassigned. */
const HIGH_CONTROLS = [
  0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152,
  0, 0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161,
  0x203a, 0x0153, 0, 0x017e, 0x0178,
];

/** UTF-8 bytes of text in code page 1252, or null where a byte is assigned to no character. */
export function decodeCp1252(bytes: Uint8Array): Uint8Array | null {
  let text = '';
  for (const byte of bytes) {
    const code = byte >= 0x80 && byte <= 0x9f ? (HIGH_CONTROLS[byte - 0x80] ?? 0) : byte;
    if (code === 0 && byte !== 0) return null;
    text += String.fromCharCode(code);
  }
  return Buffer.from(text, 'utf8');
}
