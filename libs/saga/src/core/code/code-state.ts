/**
 * The state of a saga that is written as code: its input, what each operation has answered, by name, and what the code has
 * returned.
 */
export interface CodeState<Input = unknown, Output = unknown> {
  readonly input: Input;
  readonly output?: Output;
  readonly [operation: string]: unknown;
}
