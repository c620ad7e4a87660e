import { fileURLToPath } from 'node:url';

const here = (name) => ({
  producer: fileURLToPath(new URL(`${name}.producer.mjs`, import.meta.url)),
  consumer: fileURLToPath(new URL(`${name}.consumer.mjs`, import.meta.url)),
});

export const MILLRACE = here('millrace');

/** What Millrace is compared with, and the cases in which that means something. */
export const PEERS = {
  loop: {
    ...here('loop'),
    title: 'ioredis loop',
    cases: [
      { name: 'publish, handle, commit; validation off', setting: { validate: false } },
      { name: 'publish, handle, commit; class-validator', setting: { validate: true } },
    ],
  },
  bullmq: {
    ...here('bullmq'),
    title: 'BullMQ',
    cases: [{ name: 'publish, handle, commit; concurrency 50', setting: { validate: false, concurrency: 50 } }],
  },
  'nest-redis': {
    ...here('nest-redis'),
    title: "Nest's Redis transport",
    cases: [{ name: 'publish, handle; validation off', setting: { validate: false } }],
  },
};
