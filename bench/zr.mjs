import { Redis } from 'ioredis';
import { privateRedis } from './redis.mjs';
import { child } from './child.mjs';
import { openBroker } from './event-store/model.mjs';
import { fill } from './event-store/fill.mjs';
const N = +process.argv[2], rows = +process.argv[3] || 1000;
const redis = await privateRedis('everysec');
const broker = await openBroker({ url: redis.url, namespace: 'b' });
await fill(broker, { streams: N / 100, length: 100 });
const c = new Redis(redis.url);
const p = await child(new URL('./event-store/replay.millrace.mjs', import.meta.url).pathname, { url: redis.url, namespace: 'b', rows }, process.argv[4] ? JSON.parse(process.argv[4]) : []);
await p.run(N / 5);
for (let i = 0; i < 2; i++) {
await c.config('RESETSTAT');
const t = performance.now(), cpu = await redis.cpuSeconds();
const { cpuSeconds } = await p.run(N);
const s = (performance.now() - t) / 1000;
console.log(Math.round(N / s), 'events/s, node', (cpuSeconds / N * 1e6).toFixed(2), 'redis', ((await redis.cpuSeconds() - cpu) / N * 1e6).toFixed(2), [...(await c.info('commandstats')).matchAll(/cmdstat_(\S+):calls=(\d+),usec=(\d+)/g)].map(([, n, k, u]) => `${n} ${k}x ${Math.round(u / k)}us`).join(' '));
}
await p.close(); await broker.store.close(); await redis.stop(); process.exit();
