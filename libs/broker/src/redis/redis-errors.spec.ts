import { explainRedisError, isNotNow, isServerError, isUnknownScript, withoutSecrets } from './redis-errors.js';

const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });
const failed = (code: string): Error => Object.assign(new Error('connect'), { code });

describe('an error of Redis', () => {
  it.each([
    'LOADING Redis is loading',
    'OOM command not allowed',
    'READONLY You can',
    'MISCONF Redis',
    'CLUSTERDOWN x',
  ])('passes when it is %p', (text) => {
    expect(isNotNow(reply(text))).toBe(true);
    expect(isNotNow(new Error(text))).toBe(false);
  });

  it.each(['WRONGTYPE Operation', 'ERR unknown', 'NOPERM no', 'OOMPH'])('stays when it is %p', (text) => {
    expect(isNotNow(reply(text))).toBe(false);
    expect(isServerError(reply(text))).toBe(true);
  });

  it('tells an unknown script', () => {
    expect(isUnknownScript(reply('NOSCRIPT No matching script'))).toBe(true);
    expect(isUnknownScript(reply('ERR'))).toBe(false);
  });

  it.each([
    [failed('ECONNREFUSED'), 'no Redis answers at redis://h: start one (redis-server), or set the URL of yours'],
    [new AggregateError([failed('ECONNREFUSED')]), 'no Redis answers at redis://h'],
    [failed('ENOTFOUND'), 'no host of the name in redis://h'],
    [failed('ETIMEDOUT'), 'does not answer in time'],
    [reply('NOAUTH Authentication required.'), 'refuses the credentials (NOAUTH): put the right user and password'],
    [reply('WRONGPASS invalid username-password pair or user is disabled.'), 'refuses the credentials (WRONGPASS)'],
    [new Error('strange'), 'Redis at redis://h cannot be used: strange'],
  ])('is explained: %s', (error, words) => {
    expect(explainRedisError(error, 'redis://h')).toContain(words);
  });
});

describe('a URL without its secrets', () => {
  it.each([
    ['redis://127.0.0.1:6379/1', 'redis://127.0.0.1:6379/1'],
    ['redis://user:secret@host:1', 'redis://***@host:1'],
    ['rediss://:s3cr@t@host', 'rediss://***@host'],
    ['redis://:sec/ret@host/2', 'redis://***@host/2'],
    ['redis://host?password=secret&db=1', 'redis://host?password=***&db=1'],
  ])('%s is %s', (url, shown) => {
    expect(withoutSecrets(url)).toBe(shown);
  });
});
