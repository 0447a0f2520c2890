const BAR_WIDTH = 30;

/** Draws one line that is drawn over; where the output is no terminal, every tenth becomes a line of its own. */
export class ProgressLine {
  #lastShare = -1;

  show(label: string, share: number, text: string): void {
    const filled = Math.round(share * BAR_WIDTH);
    const line = `${label.padEnd(7)} ${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${text}`;
    if (process.stdout.isTTY) {
      process.stdout.write(`\r\u001b[K${line}`);
      return;
    }
    const tenth = Math.floor(share * 10);
    if (tenth === this.#lastShare) return;
    this.#lastShare = tenth;
    print(line);
  }

  end(): void {
    if (process.stdout.isTTY) process.stdout.write('\n');
  }
}

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** A table with right-aligned numbers, the first column to the left. */
export function printTable(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  const lines = [header, ...rows].map((row) =>
    row.map((cell) => (typeof cell === 'number' ? formatNumber(cell) : cell)),
  );
  const widths = header.map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? '').length)),
  );
  for (const line of lines) {
    const cells = line.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    print(`  ${cells.join('   ')}`);
  }
}

export function formatNumber(value: number): string {
  return value.toLocaleString('en-US');
}
