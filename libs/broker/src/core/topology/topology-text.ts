import { contractOf } from '@millrace/messages';
import type { LogName, Topology, WireMessage } from './topology.js';

/** A topology for people, as lines of text. */
export function topologyText({ connection, context, partitions, sends, receives }: Topology): string {
  const title = connection === 'default' ? context : `${context} (connection '${connection}')`;
  const out = table(
    sends.map(({ by, type, passes, written, to }) => [
      way([own(type, written), ...passes.map(step), ...changed(type, written)]),
      to ? `to ${place(to)}` : 'to whoever asked',
      `by ${by}`,
    ]),
  );
  const into = table(
    receives.map(({ from, message, passes, type, group, by, route }) => [
      way([versioned(message), ...passes.map(step), ...(message.type === type ? [] : [type])]),
      `from ${place(from)}`,
      group === undefined ? 'without a group' : `group ${group}`,
      `by ${by}${route === undefined ? '' : ` on route ${route}`}`,
    ]),
  );
  const none = ['    nothing'];
  const lines = [
    `${title}, ${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`,
    '  sends',
    ...(out.length > 0 ? out : none),
    '  receives',
    ...(into.length > 0 ? into : none),
  ];
  return lines.map((line) => line.trimEnd()).join('\n');
}

function step(transform: string): string {
  return `[${transform}]`;
}

function way(parts: readonly string[]): string {
  return parts.join(' -> ');
}

/** The type as the code has it, with its version where that is written, too. */
function own(type: string, written: readonly WireMessage[]): string {
  const same = written.find((message) => message.type === type);
  return same ? versioned(same) : type;
}

function changed(type: string, written: readonly WireMessage[]): string[] {
  return written.length === 1 && written[0]!.type === type ? [] : [written.map(versioned).join(', ')];
}

function versioned({ type, contract }: WireMessage): string {
  const version = contract ? contractOf(contract).version : 1;
  return version === 1 ? type : `${type} v${version}`;
}

function place({ context, log }: LogName): string {
  return `${context} ${log}`;
}

/** Columns under each other; equal lines once. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>((known, row) => row.map((cell, i) => Math.max(known[i] ?? 0, cell.length)), []);
  const lines = rows.map((row) => `    ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`);
  return [...new Set(lines)].sort();
}

/** The pictures of what services run, one after the other, each a Mermaid diagram under its name. */
export function topologyDrawings(topologies: readonly Topology[]): string {
  const drawings = topologies.flatMap((each) => each.drawings);
  if (drawings.length === 0) return '%% nothing is drawn: this application runs no sagas';
  return drawings.map(({ of, mermaid }) => `%% ${of}\n${mermaid.trimEnd()}`).join('\n\n');
}
