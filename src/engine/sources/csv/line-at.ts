import { readBytes } from './read-bytes.ts';

const CR = 0x0d;
const LF = 0x0a;

/** The line, from 1, on which a byte of a file stands, as an editor counts lines. Reads the file up to there. */
export async function lineAt(path: string, offset: number, signal: AbortSignal): Promise<number> {
  let line = 1;
  let before = 0;
  for await (const piece of readBytes(path, {
    isCompressed: false,
    start: 0,
    end: offset,
    signal,
  })) {
    for (const byte of piece) {
      if (byte === CR || (byte === LF && before !== CR)) line++;
      before = byte;
    }
  }
  return line;
}
