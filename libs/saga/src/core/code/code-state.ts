declare const inCode: unique symbol;

/**
 * The state of a saga that is written as code: its input, what each operation has answered, by name, and what the code has
 * returned.
 */
export interface CodeState<Input = unknown, Output = unknown> {
  /** Exists for the compiler only. */
  readonly [inCode]?: true;
  readonly input: Input;
  readonly output?: Output;
  readonly [operation: string]: unknown;
}

/** Whether a state is that of a saga in code. */
export type IsCodeState<State> = 0 extends 1 & State ? false : typeof inCode extends keyof State ? true : false;
