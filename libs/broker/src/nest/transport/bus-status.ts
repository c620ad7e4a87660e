import type { ReplaySubject } from 'rxjs';
import type { Bus } from './bus.js';

/** What `status` of a server or client tells. */
export enum RedisStreamsStatus {
  CONNECTED = 'connected',
  RECONNECTING = 'reconnecting',
  DISCONNECTED = 'disconnected',
}

/** Events of the Redis client that `on` takes. */
export type RedisStreamsEvents = Record<
  'connect' | 'ready' | 'error' | 'close' | 'reconnecting' | 'end',
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as ioredis emits them
  (...args: any[]) => void
>;

interface Listener {
  readonly event: keyof RedisStreamsEvents;
  readonly callback: (...args: unknown[]) => void;
}

/**
 * Passes on what happens to a connection. An `error` event closes nothing: the client connects again by itself, for ever.
 */
export class BusStatus {
  private readonly listeners: Listener[] = [];
  private bus: Bus | undefined;

  constructor(private readonly status: Pick<ReplaySubject<RedisStreamsStatus>, 'next'>) {}

  /** Listens from now on, or from the connection on. */
  on(event: Listener['event'], callback: Listener['callback']): void {
    this.listeners.push({ event, callback });
    this.bus?.client?.on(event, callback);
  }

  connected(bus: Bus): void {
    this.bus = bus;
    const { client } = bus;
    if (client) {
      client.on('ready', () => this.status.next(RedisStreamsStatus.CONNECTED));
      client.on('reconnecting', () => this.status.next(RedisStreamsStatus.RECONNECTING));
      client.on('end', () => this.status.next(RedisStreamsStatus.DISCONNECTED));
      for (const { event, callback } of this.listeners) client.on(event, callback);
    }
    this.status.next(RedisStreamsStatus.CONNECTED);
  }
}
