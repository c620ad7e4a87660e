/**
 * A service process for tests that kill it: projects `work.counted` into PostgreSQL. Its one argument is JSON: url, namespace,
 * partitions, settings with postgres (an address), version and idleMs. It says `ready`.
 */
import { Broker, RedisPartitionStore } from '@millrace/broker';
import { ProjectionRunner } from '@millrace/event-store';
import { Pool } from 'pg';
import { numbersOf } from './numbers-table.mjs';

const { url, namespace, partitions, settings } = JSON.parse(process.argv[2]);
const { postgres, version = 1, idleMs = 30_000 } = settings;

const store = await RedisPartitionStore.connect({ url, namespace });
const broker = new Broker(store, { context: 'work', partitions });
const Numbers = numbersOf(version);
const pool = new Pool({ connectionString: postgres });
new ProjectionRunner(broker, Numbers, new Numbers(pool, { idleMs })).start();
process.stdout.write('ready\n');
