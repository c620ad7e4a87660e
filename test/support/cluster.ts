import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ended, findServerBinary, spawnBound } from '@millrace/testing';
import calculateSlot from 'cluster-key-slot';
import getPort from 'get-port';
import { Redis } from 'ioredis';
import { eventually } from './redis.js';

const SLOTS = 16_384;

/** A Redis Cluster on this machine, made for one test. */
export class PrivateCluster {
  private constructor(
    readonly masters: readonly ClusterNode[],
    readonly replicas: readonly ClusterNode[],
  ) {}

  /** @param replicas of every master */
  static async start({ masters = 3, replicas = 0 } = {}): Promise<PrivateCluster> {
    const nodes = await Promise.all(Array.from({ length: masters * (1 + replicas) }, () => ClusterNode.start()));
    const [first, ...others] = nodes as [ClusterNode, ...ClusterNode[]];
    for (const other of others) await first.ask('CLUSTER', 'MEET', '127.0.0.1', other.port, other.bus);
    for (let i = 0; i < masters; i++) {
      const from = Math.floor((SLOTS * i) / masters);
      await nodes[i]!.ask('CLUSTER', 'ADDSLOTSRANGE', from, Math.floor((SLOTS * (i + 1)) / masters) - 1);
    }
    await eventually(async () => {
      for (const node of nodes) expect((await node.nodes()).length).toBe(nodes.length);
    }, 20_000);
    for (let i = masters; i < nodes.length; i++) {
      const master = await nodes[i % masters]!.id();
      await eventually(async () => expect(await nodes[i]!.ask('CLUSTER', 'REPLICATE', master)).toBe('OK'));
    }
    const cluster = new PrivateCluster(nodes.slice(0, masters), nodes.slice(masters));
    await eventually(async () => {
      for (const node of nodes) expect(await node.ask('CLUSTER', 'INFO')).toContain('cluster_state:ok');
      for (const node of cluster.replicas)
        expect(await node.ask('INFO', 'replication')).toContain('master_link_status:up');
    }, 20_000);
    return cluster;
  }

  /** As an application names it: any of its nodes. */
  get addresses(): { host: string; port: number }[] {
    return this.masters.map(({ port }) => ({ host: '127.0.0.1', port }));
  }

  /** The master that has a key. */
  async masterOf(key: string): Promise<ClusterNode> {
    const slot = calculateSlot(key);
    for (const line of await this.nodes()) {
      const [, address, flags, , , , , , ...ranges] = line.split(' ');
      const has = ranges.some((range) => {
        const [from, to = from] = range.split('-').map(Number);
        return from! <= slot && slot <= to!;
      });
      const port = Number(/:(\d+)@/.exec(address!)![1]);
      const node = [...this.masters, ...this.replicas].find((each) => each.port === port);
      if (has && node && flags!.includes('master')) return node;
    }
    throw new Error(`nobody has slot ${slot}`);
  }

  /** Moves the slot of a key to another master, key by key, as an operator does while clients go on. */
  async migrate(key: string, to: ClusterNode): Promise<void> {
    const slot = calculateSlot(key);
    const from = await this.masterOf(key);
    await to.ask('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await from.id());
    await from.ask('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await to.id());
    for (;;) {
      const keys = (await from.ask('CLUSTER', 'GETKEYSINSLOT', slot, 1)) as string[];
      if (keys.length === 0) break;
      await from.ask('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
    }
    const id = await to.id();
    for (const node of [to, from, ...this.masters]) await node.ask('CLUSTER', 'SETSLOT', slot, 'NODE', id);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.masters, ...this.replicas].map((node) => node.stop()));
  }

  private async nodes(): Promise<string[]> {
    for (const node of [...this.masters, ...this.replicas]) if (node.isUp) return node.nodes();
    throw new Error('no node is up');
  }
}

/** One server of a cluster. */
export class ClusterNode {
  private readonly redis: Redis;

  private constructor(
    readonly port: number,
    readonly bus: number,
    private readonly folder: string,
    private readonly child: ReturnType<typeof spawnBound>,
  ) {
    this.redis = new Redis(port, '127.0.0.1', { protocol: 2 });
    this.redis.on('error', () => undefined);
  }

  static async start(): Promise<ClusterNode> {
    const binary = findServerBinary();
    if (!binary) {
      throw new Error(
        'specs of a Redis Cluster start its nodes themselves, also where Docker gives the others their Redis, ' +
          'and there is no redis-server or valkey-server in PATH: apt-get install redis-server, or brew install redis',
      );
    }
    const folder = await mkdtemp(join(tmpdir(), 'millrace-cluster-'));
    const [port, bus] = [await getPort({ host: '127.0.0.1' }), await getPort({ host: '127.0.0.1' })];
    const settings = {
      ...{ port, 'cluster-port': bus, bind: '127.0.0.1', dir: folder, save: '', 'cluster-enabled': 'yes' },
      ...{ 'cluster-node-timeout': 1_000, 'repl-diskless-sync-delay': 0 },
    };
    const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const node = new ClusterNode(port, bus, folder, spawnBound(binary, words, { stdio: 'ignore' }, folder));
    await node.ask('PING');
    return node;
  }

  get isUp(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  ask(command: string, ...args: (string | number)[]): Promise<unknown> {
    return this.redis.call(command, ...args);
  }

  async id(): Promise<string> {
    return String(await this.ask('CLUSTER', 'MYID'));
  }

  async nodes(): Promise<string[]> {
    return String(await this.ask('CLUSTER', 'NODES'))
      .trim()
      .split('\n');
  }

  async stop(): Promise<void> {
    this.redis.disconnect();
    this.child.kill('SIGKILL');
    await ended(this.child);
    await rm(this.folder, { recursive: true, force: true });
  }
}
