import fc from 'fast-check';
import { addMultisets, createDigest, LineSplitter } from '../../../../src/engine/digest.ts';

const line = fc
  .uint8Array({ maxLength: 20 })
  .map((bytes) => Buffer.from([...bytes.filter((byte) => byte !== 10), 10]));

function digestOf(
  kind: 'ordered' | 'multiset',
  pieces: readonly Uint8Array[],
): { rows: number; digest: string } {
  const digest = createDigest(kind);
  for (const piece of pieces) digest.update(piece);
  return { rows: digest.rows, digest: digest.finish() };
}

describe('digests', () => {
  it.each(['ordered', 'multiset'] as const)(
    '%s does not depend on how the stream is cut',
    (kind) => {
      fc.assert(
        fc.property(fc.array(line), fc.array(fc.nat(200)), (lines, cuts) => {
          const whole = Buffer.concat(lines);
          const bounds = [
            0,
            ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b),
            whole.length,
          ];
          const pieces = bounds.slice(1).map((end, index) => whole.subarray(bounds[index], end));

          expect(digestOf(kind, pieces)).toEqual(digestOf(kind, [whole]));
          expect(digestOf(kind, pieces).rows).toBe(lines.length);
        }),
      );
    },
  );

  it('ordered tells rows in another order apart', () => {
    const [a, b] = [Buffer.from('1\tx\n'), Buffer.from('2\ty\n')];

    expect(digestOf('ordered', [a, b]).digest).not.toBe(digestOf('ordered', [b, a]).digest);
  });

  it('multiset is the same in any order, and differs for a doubled or changed row', () => {
    const [a, b] = [Buffer.from('1\tx\n'), Buffer.from('2\ty\n')];

    expect(digestOf('multiset', [a, b])).toEqual(digestOf('multiset', [b, a]));
    expect(digestOf('multiset', [a, b, b]).digest).not.toBe(digestOf('multiset', [a, b]).digest);
    expect(digestOf('multiset', [a, Buffer.from('2\tz\n')]).digest).not.toBe(
      digestOf('multiset', [a, b]).digest,
    );
  });

  it('multiset tells two values apart that were swapped between rows', () => {
    const before = [Buffer.from('1\tx\n'), Buffer.from('2\ty\n')];
    const after = [Buffer.from('1\ty\n'), Buffer.from('2\tx\n')];

    expect(digestOf('multiset', before).digest).not.toBe(digestOf('multiset', after).digest);
  });

  it('multisets of parts add up to that of the whole', () => {
    fc.assert(
      fc.property(fc.array(line), fc.nat(20), (lines, cut) => {
        const parts = [lines.slice(0, cut), lines.slice(cut)].map(
          (part) => digestOf('multiset', part).digest,
        );

        expect(addMultisets(parts)).toBe(digestOf('multiset', lines).digest);
      }),
    );
  });
});

describe('LineSplitter', () => {
  it('gives every line once, whole, whatever the pieces', () => {
    const seen: string[] = [];
    const lines = new LineSplitter();

    for (const piece of ['a', 'b\nc', '', '\n\nd', 'ef\n']) {
      lines.push(Buffer.from(piece), (bytes) => seen.push(Buffer.from(bytes).toString()));
    }

    expect(seen).toEqual(['ab\n', 'c\n', '\n', 'def\n']);
  });
});
