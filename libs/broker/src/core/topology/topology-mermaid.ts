import type { LogName, Topology } from './topology.js';

/**
 * Topologies as one Mermaid flowchart: services as boxes, logs between them, transforms as rhombs on the way. Several
 * services of a system meet in their logs.
 *
 * @see https://mermaid.js.org/syntax/flowchart.html
 */
export function topologyMermaid(topologies: readonly Topology[]): string {
  const chart = new Chart();
  for (const topology of topologies) addService(chart, topology);
  return chart.text();
}

function addService(chart: Chart, { context, sends, receives }: Topology): void {
  for (const { by, type, passes, written, to } of sends) {
    const target = to ? log(chart, to) : chart.node('asked', '(["whoever asked"])');
    const from = chart.member(context, by, `["${by}"]`);
    const last = through(chart, context, 'out', from, type, passes);
    chart.edge(last, target, written.map((message) => message.type).join(', '));
  }
  for (const { from, message, passes, type, by, group, route } of receives) {
    const label = group === undefined || group === context ? by : `${by}<br/>group ${group}`;
    const to = chart.member(context, label, `["${label}"]`);
    const last = through(chart, context, 'in', log(chart, from), message.type, passes);
    chart.edge(last, to, route === undefined ? type : `${type} on route ${route}`);
  }
}

/** The edge into each transform has the type that the message comes with. */
function through(
  chart: Chart,
  context: string,
  side: string,
  from: string,
  type: string,
  passes: readonly string[],
): string {
  return passes.reduce((before, name, i) => {
    const node = chart.member(context, `${side} ${name}`, `{{"${name}"}}`);
    chart.edge(before, node, i === 0 ? type : '');
    return node;
  }, from);
}

function log(chart: Chart, { context, log: name }: LogName): string {
  return chart.node(`log ${context} ${name}`, `[("${context} ${name}")]`);
}

/** Nodes by what they are, each drawn once, and edges, each drawn once. */
class Chart {
  private readonly ids = new Map<string, string>();
  private readonly outside: string[] = [];
  private readonly services = new Map<string, string[]>();
  private readonly edges = new Set<string>();

  node(what: string, shape: string): string {
    return this.draw(what, shape, this.outside);
  }

  member(service: string, what: string, shape: string): string {
    let members = this.services.get(service);
    if (!members) this.services.set(service, (members = []));
    return this.draw(`${service}: ${what}`, shape, members);
  }

  edge(from: string, to: string, label: string): void {
    this.edges.add(label === '' ? `  ${from} --> ${to}` : `  ${from} -- "${label}" --> ${to}`);
  }

  text(): string {
    const boxes = [...this.services].flatMap(([service, members], i) => [
      `  subgraph s${i}["${service}"]`,
      ...members.map((line) => `  ${line}`),
      '  end',
    ]);
    return ['flowchart LR', ...this.outside, ...boxes, ...this.edges].join('\n');
  }

  private draw(what: string, shape: string, where: string[]): string {
    let id = this.ids.get(what);
    if (id === undefined) {
      this.ids.set(what, (id = `n${this.ids.size}`));
      where.push(`  ${id}${shape}`);
    }
    return id;
  }
}
