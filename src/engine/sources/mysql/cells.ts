import type { RowPacket } from './row-flow.ts';

const NULL = 0xfb;
const TWO_BYTES = 0xfc;
const THREE_BYTES = 0xfd;
const EIGHT_BYTES = 0xfe;

/** Where the values of one row lie in its packet. Reused from row to row. */
export class Cells {
  bytes: Buffer = Buffer.alloc(0);
  readonly starts: Float64Array;
  /** −1 = NULL. */
  readonly ends: Float64Array;
  readonly count: number;

  constructor(count: number) {
    this.count = count;
    this.starts = new Float64Array(count);
    this.ends = new Float64Array(count);
  }

  /** Reads the length-coded strings of a text row. */
  read(packet: RowPacket): void {
    const { buffer } = packet;
    const { starts, ends, count } = this;
    this.bytes = buffer;
    let position = packet.offset;
    for (let index = 0; index < count; index++) {
      let size = buffer[position++] ?? NULL;
      if (size === NULL) {
        ends[index] = -1;
        continue;
      }
      if (size === TWO_BYTES) {
        size = buffer.readUInt16LE(position);
        position += 2;
      } else if (size === THREE_BYTES) {
        size = buffer.readUIntLE(position, 3);
        position += 3;
      } else if (size === EIGHT_BYTES) {
        size = Number(buffer.readBigUInt64LE(position));
        position += 8;
      }
      starts[index] = position;
      position += size;
      ends[index] = position;
    }
    if (position !== packet.end)
      throw new Error('a row of the server has another shape than asked for');
  }

  /** Lays out values that did not come from the server. */
  set(values: readonly (Buffer | null)[]): void {
    this.bytes = Buffer.concat(values.filter((value) => value !== null));
    let position = 0;
    for (const [index, value] of values.entries()) {
      this.starts[index] = position;
      position += value?.length ?? 0;
      this.ends[index] = value === null ? -1 : position;
    }
  }

  isNull(index: number): boolean {
    return (this.ends[index] ?? -1) < 0;
  }

  start(index: number): number {
    return this.starts[index] ?? 0;
  }

  end(index: number): number {
    return this.ends[index] ?? -1;
  }

  /** A view, good until the next row. */
  view(index: number): Buffer | null {
    return this.isNull(index) ? null : this.bytes.subarray(this.start(index), this.end(index));
  }

  text(index: number): string {
    return this.bytes.toString('utf8', this.start(index), this.end(index));
  }
}
