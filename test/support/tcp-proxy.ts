import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from './redis.js';

interface Loss {
  readonly matches: (request: string) => boolean;
  left: number;
  readonly happened: () => void;
}

interface Silence {
  readonly text: string;
  readonly happened: () => void;
}

/** Stands between a client and its Redis, and loses replies. */
export class TcpProxy {
  private readonly losses: Loss[] = [];
  private readonly silences: Silence[] = [];
  private readonly sockets = new Set<Socket>();
  private reachable = true;

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('connection', (client) => this.connected(client));
  }

  /** Closed when the test has finished. */
  static async open(url: string): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new TcpProxy(server, new URL(url));
    onTestFinished(() => proxy.close());
    return proxy;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /**
   * Lets requests that contain the text reach the server, swallows what it answers and cuts the connection.
   *
   * @returns resolves when that has happened
   */
  loseReplyTo(text: string, times = 1): Promise<void> {
    return new Promise((resolve) => {
      this.losses.push({ matches: (request) => request.includes(text), left: times, happened: resolve });
    });
  }

  /**
   * From the next request that contains the text on, nothing passes on its connection, which stays open.
   *
   * @returns resolves when that request has come
   */
  silence(text: string): Promise<void> {
    return new Promise((resolve) => this.silences.push({ text, happened: resolve }));
  }

  /** Cuts all connections, and new ones too until it is told that Redis is back. */
  away(): void {
    this.reachable = false;
    this.cut();
  }

  back(): void {
    this.reachable = true;
  }

  /** Cuts all connections. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private connected(client: Socket): void {
    if (!this.reachable) return void client.destroy();
    const server = connect(Number(this.target.port), this.target.hostname);
    let losing: Loss | undefined;
    let silent = false;
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.on('error', end).on('close', () => {
        this.sockets.delete(socket);
        end();
      });
    }
    client.on('data', (request) => {
      const at = this.silences.findIndex(({ text }) => request.includes(text));
      if (at >= 0) {
        silent = true;
        this.silences.splice(at, 1)[0]!.happened();
      }
      if (silent) return;
      losing ??= this.losses.find((loss) => loss.left > 0 && loss.matches(request.toString('utf8')));
      server.write(request);
    });
    server.on('data', (reply) => {
      // A script unknown to the server has done nothing yet: its text follows.
      if (reply.includes('-NOSCRIPT')) losing = undefined;
      if (!losing) return void client.write(reply);
      const loss = losing;
      // Replies to earlier commands may come first: wait until the server has said all.
      void sleep(20).then(() => {
        end();
        if (loss.left > 0 && --loss.left === 0) loss.happened();
      });
    });
  }
}
