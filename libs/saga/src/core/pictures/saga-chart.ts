import { contractOf } from '@millrace/messages';
import type { Block, SagaDefinition, SagaNode } from '../definition.js';
import { definitionOf } from '../saga-class.js';
import type { SagaHolder } from '../saga-class.js';
import { Chart, END } from './chart.js';
import { canBeUndone, drawUndo } from './undo-chart.js';
import type { Exit } from './undo-chart.js';

/** How far a way has come: what leads on, and what is undone first when it turns round. */
interface Way {
  readonly exits: readonly Exit[];
  readonly undos: readonly string[];
  readonly isPastPivot: boolean;
}

/**
 * A saga as a Mermaid state diagram: its steps in their order, what undoes them when a step is refused, and the pivot from which
 * there is no way back.
 *
 * @param saga an instance of its class, or its definition
 * @throws ConfigurationError for what is no saga
 * @see https://mermaid.js.org/syntax/stateDiagram.html
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a picture shows no state
export function sagaChart(saga: SagaHolder | SagaDefinition<any>): string {
  const definition = 'body' in saga ? saga : definitionOf(saga);
  const chart = new Chart();
  const { on } = definition.start;
  const begin: Way = {
    exits: [{ from: END, ...(on ? { label: contractOf(on).type } : {}) }],
    undos: [],
    isPastPivot: false,
  };
  const { exits } = drawBlock(chart, definition.body, begin);
  for (const { from, label } of exits) chart.edge(from, END, label ?? 'completed');
  return chart.text();
}

function drawBlock<State>(chart: Chart, block: Block<State>, begin: Way): Way {
  return block.reduce((way, node) => drawNode(chart, node, way), begin);
}

function drawNode<State>(chart: Chart, node: SagaNode<State>, way: Way): Way {
  if (node.kind === 'choice') return drawChoice(chart, node, way);
  const id = drawState(chart, node);
  for (const { from, label } of way.exits) chart.edge(from, id, label);
  if (node.kind === 'pivot') return { exits: [{ from: id }], undos: [], isPastPivot: true };
  if (way.isPastPivot) return { ...way, exits: [{ from: id }] };
  const reason = failureOf(node);
  // What has been done inside of a node that fails is undone first.
  const isPartlyDone =
    reason !== undefined && (node.kind === 'parallel' || node.kind === 'each' || node.kind === 'code');
  if (!canBeUndone(node)) {
    if (reason !== undefined) turnRound(chart, id, way.undos, reason);
    return { ...way, exits: [{ from: id }] };
  }
  if (reason !== undefined && !isPartlyDone) turnRound(chart, id, way.undos, reason);
  const [undo] = drawUndo(chart, node, isPartlyDone ? [{ from: id, label: reason }] : []);
  turnRound(chart, undo!.from, way.undos);
  return { ...way, exits: [{ from: id }], undos: [undo!.from] };
}

function drawState<State>(chart: Chart, node: Exclude<SagaNode<State>, { kind: 'choice' }>): string {
  const within = (name: string, block: Block<State>) => () => {
    const start: Way = { exits: [{ from: END, label: name }], undos: [], isPastPivot: true };
    for (const { from, label } of drawBlock(chart, block, start).exits) chart.edge(from, END, label);
  };
  switch (node.kind) {
    case 'parallel': {
      const { size } = node.branches;
      const join = node.join === size ? 'all' : `${node.join} of ${size}`;
      const parts = [...node.branches].map(([name, block]) => within(name, block));
      return chart.composite(`${node.name} (${join})`, parts);
    }
    case 'each':
      return chart.composite(`${node.name} (each, ${node.atOnce} at once)`, [within('', node.body)]);
    case 'sleep':
      return chart.state(`${node.name} (sleep)`);
    case 'wait':
      return chart.state(`${node.name} (wait for ${contractOf(node.event).type})`);
    case 'pivot':
      return chart.state('pivot: no way back');
    case 'code':
      return chart.state(`${node.name} (code)`);
    case 'step':
      return chart.state(labelOf(node));
  }
}

function labelOf<State>({ name, do: { act } }: Extract<SagaNode<State>, { kind: 'step' }>): string {
  if (act.kind === 'child') return `${name} (saga ${act.saga})`;
  return act.kind === 'lock' || act.kind === 'call' ? `${name} (${act.kind})` : name;
}

/** Ways that part, and meet again. */
function drawChoice<State>(chart: Chart, node: Extract<SagaNode<State>, { kind: 'choice' }>, way: Way): Way {
  const id = chart.choice();
  for (const { from, label } of way.exits) chart.edge(from, id, label ?? node.name);
  const ways = [...node.branches].map(([name, block]) =>
    drawBlock(chart, block, { ...way, exits: [{ from: id, label: name }] }),
  );
  return {
    exits: ways.flatMap(({ exits }) => exits),
    undos: [...new Set(ways.flatMap(({ undos }) => undos))],
    isPastPivot: way.isPastPivot,
  };
}

function turnRound(chart: Chart, from: string, undos: readonly string[], reason?: string): void {
  if (undos.length === 0) chart.edge(from, END, reason === undefined ? 'compensated' : `${reason}, compensated`);
  for (const undo of undos) chart.edge(from, undo, reason);
}

/** How a node makes the saga turn round; undefined: it does not. */
function failureOf<State>(node: SagaNode<State>): string | undefined {
  if (node.kind === 'sleep') return undefined;
  if (node.kind === 'wait') return node.withinMs === undefined || node.otherwise ? undefined : 'timed out';
  return 'refused';
}
