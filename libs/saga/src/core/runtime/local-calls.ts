import type { CallAction, CalledInput, Transition } from '../transition.js';
import { runCall } from './run-call.js';
import type { Handling } from './run-call.js';

/** Runs the local functions of sagas in this process, each once at a time, and those that follow from how they end. */
export class LocalCalls {
  /** By the ids of their calls. */
  private readonly running = new Set<string>();

  /** @param settle commits how a function has ended */
  constructor(
    private readonly settle: (saga: string, id: string, input: CalledInput) => Promise<Transition<unknown>>,
  ) {}

  async run(saga: string, id: string, calls: readonly CallAction[], handling: Handling | undefined): Promise<void> {
    const mine = calls.filter((call) => !this.running.has(call.id));
    if (mine.length === 1) return this.runOne(saga, id, mine[0]!, handling);
    await Promise.all(mine.map((call) => this.runOne(saga, id, call, handling)));
  }

  private async runOne(saga: string, id: string, call: CallAction, handling: Handling | undefined): Promise<void> {
    this.running.add(call.id);
    try {
      const result = await runCall(call, handling);
      // What a process that stops has cut off runs again where the message is handled again.
      if (result.status === 'failed' && (handling?.isAborted ?? handling?.signal.aborted))
        throw handling!.signal.reason;
      const transition = await this.settle(saga, id, { kind: 'called', callId: call.id, result });
      if (transition.outcome !== 'moved') return;
      const following = transition.actions.filter((action) => action.kind === 'call');
      await this.run(saga, id, following, handling);
    } finally {
      this.running.delete(call.id);
    }
  }
}
