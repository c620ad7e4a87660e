/** Where the broker reports what it cannot tell a caller. Nest's Logger fits. */
export interface Logger {
  debug(message: string): void;
  log(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Says nothing. */
export const silent: Logger = {
  debug: () => undefined,
  log: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
