import { contractOf } from '@millrace/messages';
import type { SagaDefinition } from '../definition.js';
import type { SagaInstance } from '../instance.js';
import { runCall } from '../runtime/run-call.js';
import type { CallAction, SagaAction, SagaInput, SendAction } from '../transition.js';
import type { CodeState } from './code-state.js';
import { decide } from './decide.js';

type AnyCode = SagaDefinition<CodeState<never, never>>;

/** One instance of a saga of code, and what it has asked for. It is stored as JSON between two inputs. */
export class Play {
  instance!: SagaInstance<CodeState>;
  readonly actions: SagaAction[] = [];
  /** Local functions that have not been run. */
  readonly calls: CallAction[] = [];
  now = 0;

  constructor(
    public definition: SagaDefinition<CodeState>,
    private readonly id = '4711',
  ) {}

  static of(definition: unknown, id?: string): Play {
    return new Play(definition as AnyCode as unknown as SagaDefinition<CodeState>, id);
  }

  async start(input: object): Promise<this> {
    await this.feel({ kind: 'start', id: this.id, input });
    return this;
  }

  /** @returns whether it has moved */
  async feel(input: SagaInput): Promise<boolean> {
    const transition = await decide(this.definition, this.instance as never, input, { now: this.now });
    if (transition.outcome === 'ignored') return false;
    this.instance = JSON.parse(JSON.stringify(transition.instance)) as SagaInstance<CodeState>;
    if (transition.outcome === 'noted') return false;
    this.actions.push(...transition.actions);
    this.calls.push(...transition.actions.filter((action) => action.kind === 'call'));
    return true;
  }

  /** Runs the local functions that were begun, and those that follow, the newest first if so wished. */
  async run(newestFirst = false): Promise<this> {
    for (let call; (call = newestFirst ? this.calls.pop() : this.calls.shift());) await this.runOne(call);
    return this;
  }

  async runOne(call: CallAction): Promise<void> {
    await this.feel({ kind: 'called', callId: call.id, result: await runCall(call) });
  }

  /** Answers the newest command of a type. */
  async reply(to: string, reply: object): Promise<boolean> {
    const { type, failure } = contractOf(reply);
    const inReplyTo = this.sent.findLast(({ command }) => contractOf(command).type === to)!.id;
    const data = JSON.parse(JSON.stringify(reply)) as object;
    return this.feel({ kind: 'reply', inReplyTo, outcome: failure ? 'failure' : 'success', type, data });
  }

  async event(event: object): Promise<boolean> {
    return this.feel({
      kind: 'event',
      type: contractOf(event).type,
      data: JSON.parse(JSON.stringify(event)) as object,
    });
  }

  /** Time passes until the next thing is due. */
  async wake(): Promise<boolean> {
    this.now = this.instance.wakeAt!;
    return this.feel({ kind: 'wake' });
  }

  get sent(): readonly SendAction[] {
    return this.actions.filter((action) => action.kind === 'send');
  }

  /** What happened, as `step: direction what`. */
  get story(): readonly string[] {
    return this.instance.history.map(({ step, direction, what }) => `${step}: ${direction} ${what}`);
  }

  /** Why the code cannot go on. */
  get halted(): string | undefined {
    return this.instance.parked?.find(({ step }) => step === 'code')?.reason;
  }
}
