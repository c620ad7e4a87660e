import type { StoreReport } from '../core/partition-store.js';
import type { RedisConnection } from './redis-connection.js';

/** Asks a Redis what it is and whether it would lose orders. */
export async function inspectRedis(connection: RedisConnection): Promise<StoreReport> {
  const reports = (await connection.everywhere('INFO', [])).map((info) => report(String(info)));
  const servers = [...new Set(reports.map(({ server }) => server))].join(', ');
  return {
    server: reports.length > 1 ? `${servers}, cluster of ${reports.length}` : servers,
    version: reports.map(({ version }) => version).sort()[0] ?? 'unknown',
    warnings: [...new Set(reports.flatMap(({ warnings }) => warnings))],
  };
}

function report(text: string): StoreReport {
  const info = parseInfo(text);
  const valkey = info.get('valkey_version');
  const version = valkey ?? info.get('redis_version') ?? 'unknown';
  const warnings: string[] = [];
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  if (policy !== 'noeviction') {
    warnings.push(
      `Redis may evict events and sagas (maxmemory-policy ${policy}): set 'maxmemory-policy noeviction', or orders can vanish`,
    );
  }
  if (info.get('aof_enabled') !== '1') {
    warnings.push(
      `Redis keeps no append-only file: a restart loses everything since the last snapshot; set 'appendonly yes'`,
    );
  }
  if (Number.parseInt(version, 10) < 7)
    warnings.push(`Redis ${version} is too old: Millrace needs Redis 7.0 or Valkey`);
  return { server: `${valkey ? 'Valkey' : 'Redis'} ${version}`, version, warnings };
}

function parseInfo(text: string): Map<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}
