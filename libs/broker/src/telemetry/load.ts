import { ConfigurationError } from '../core/errors.js';
import type { Telemetry } from '../core/telemetry.js';

/**
 * Traces and metrics by OpenTelemetry, for `new Broker(store, { telemetry })`; in Nest `forRoot({ telemetry: true })` does this.
 * Register the SDK's providers before: without any the answer is undefined, and watching costs nothing.
 *
 * @throws ConfigurationError when `@opentelemetry/api` is not installed
 */
export async function openTelemetry(): Promise<Telemetry | undefined> {
  try {
    const { OpenTelemetry } = await import('./open-telemetry.js');
    return OpenTelemetry.ifRegistered();
  } catch (error) {
    throw new ConfigurationError(
      `telemetry: true needs the package @opentelemetry/api: npm install @opentelemetry/api (${(error as Error).message})`,
    );
  }
}
