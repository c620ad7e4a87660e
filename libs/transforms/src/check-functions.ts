import { inspect } from 'node:util';
import { TransformDeclarationError } from './transform-error.js';

/** @throws TransformDeclarationError for one that is no function, which would be found out with the first message */
export function checkFunctions(transform: string, functions: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(functions)) {
    if (typeof value === 'function') continue;
    throw new TransformDeclarationError(
      `'${transform}' has ${name}: ${inspect(value, { depth: 0 })}; it must be a function`,
    );
  }
}
