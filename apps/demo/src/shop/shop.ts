export const SERVICES = ['catalog', 'order', 'payment', 'orchestrator'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** Four services that answer HTTP. */
export interface Shop {
  readonly urls: Readonly<Record<ServiceName, string>>;
  /** What keeps its data. */
  readonly redis: { readonly source: string; readonly version: string };
  /** Where its keys can be looked at; absent when that is not known, or when there are none. */
  readonly keyspace?: { readonly url: string; readonly namespace: string };
  /** Rejects when a service has ended that nobody stopped; never resolves. */
  readonly failure: Promise<never>;
  /** Services that are up and can be killed. */
  killable(): ServiceName[];
  /** SIGKILLs a service and starts it again. */
  kill(service: ServiceName): void;
  /** Resolves when all services answer. */
  ready(): Promise<void>;
  /** Stops what was started here. Idempotent. */
  stop(): Promise<void>;
}

export function never(): Promise<never> {
  return new Promise(() => undefined);
}
