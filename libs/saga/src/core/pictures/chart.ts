/** Lines of a Mermaid state diagram, with an id for each state. */
export class Chart {
  private readonly lines: string[] = [];
  private readonly edges = new Set<string>();
  private count = 0;
  private indent = '  ';

  /** @returns its id */
  state(label: string): string {
    const id = `n${this.count++}`;
    this.add(`state "${escaped(label)}" as ${id}`);
    return id;
  }

  choice(): string {
    const id = `n${this.count++}`;
    this.add(`state ${id} <<choice>>`);
    return id;
  }

  /** A state with others in it; each part stands beside the ones before. */
  composite(label: string, parts: readonly (() => void)[]): string {
    const id = `n${this.count++}`;
    this.add(`state "${escaped(label)}" as ${id} {`);
    const before = this.indent;
    parts.forEach((part, at) => {
      if (at > 0) this.add('--');
      this.indent = `${before}  `;
      part();
      this.indent = before;
    });
    this.add('}');
    return id;
  }

  edge(from: string, to: string, label = ''): void {
    const line = `${from} --> ${to}${label === '' ? '' : ` : ${escaped(label).replaceAll(':', '#58;')}`}`;
    // The same edge twice is drawn twice; those inside of a composite all have [*] at their ends.
    if (from !== END && to !== END && this.edges.has(line)) return;
    this.edges.add(line);
    this.add(line);
  }

  text(): string {
    return ['stateDiagram-v2', ...this.lines, ''].join('\n');
  }

  private add(line: string): void {
    this.lines.push(this.indent + line);
  }
}

/** Where a diagram begins, and where it ends. */
export const END = '[*]';

/** A label as Mermaid takes it: what it would read as syntax stands as its character code. */
export function escaped(label: string): string {
  return label.replace(/[\s]+/g, ' ').replace(/[#;"<>{}]/g, (sign) => `#${sign.charCodeAt(0)};`);
}
