/**
 * Publish -> handle -> commit: one producer and one consumer process, 300 bytes of payload, against the hand-written
 * ioredis loop or a peer, A B A B on one private Redis; the ratio is the median of the rounds' ratios.
 */
import Table from 'cli-table3';
import { median, spread } from '../figures.mjs';
import { privateRedis } from '../redis.mjs';
import { compareLatency } from './latency-suite.mjs';
import { round } from './rounds.mjs';
import { MILLRACE, PEERS } from './sides.mjs';

export async function run({ json, messages = 60_000, rounds, fsync, against = 'loop', latency }) {
  const peer = PEERS[against];
  const redis = await privateRedis(fsync);
  console.error(`${redis.description}, ${messages} messages a round, ${rounds} rounds of each side\n`);
  try {
    for (const { name, setting } of peer.cases) {
      const pairs = await throughput(redis, peer, name, setting, messages, rounds);
      report(name, peer, pairs, json);
      if (latency) await compareLatency({ redis, peer, name, setting, pairs, rounds, json });
    }
  } finally {
    await redis.stop();
  }
}

async function throughput(redis, peer, name, setting, messages, rounds) {
  const pairs = [];
  for (let i = 0; i < rounds; i++) {
    const theirs = await round(redis, peer, messages, setting);
    const millrace = await round(redis, MILLRACE, messages, setting);
    const ratio = millrace.rate / theirs.rate;
    pairs.push({ theirs, millrace, ratio });
    console.error(
      `  ${name}: ${Math.round(millrace.rate)}/s, ${peer.title} ${Math.round(theirs.rate)}/s, ratio ${ratio.toFixed(2)}`,
    );
  }
  return pairs;
}

function report(name, peer, pairs, json) {
  const ratio = median(pairs.map((pair) => pair.ratio));
  const value = Math.round(median(pairs.map((pair) => pair.millrace.rate)));
  if (json) {
    const line = { suite: 'messages', case: name, unit: 'msg/s', value, baseline: peer.title };
    console.log(JSON.stringify({ ...line, ratio: Number(ratio.toFixed(2)) }));
  }
  const table = new Table({
    head: ['', 'msg/s median (min-max)', 'producer µs/msg', 'consumer µs/msg', 'Redis µs/msg'],
  });
  for (const [side, title] of [
    ['theirs', peer.title],
    ['millrace', 'Millrace'],
  ]) {
    const cpu = (who) => median(pairs.map((pair) => pair[side][who])).toFixed(1);
    table.push([title, spread(pairs.map((pair) => pair[side].rate)), cpu('producer'), cpu('consumer'), cpu('redis')]);
  }
  console.error(`\n${name}: ratio ${ratio.toFixed(2)} of ${peer.title}\n${table}\n`);
}
