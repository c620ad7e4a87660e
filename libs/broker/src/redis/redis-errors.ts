/** Server answers that mean "not now": nothing was done, and trying again can help. */
const NOT_NOW = /^(LOADING|READONLY|MASTERDOWN|BUSY|OOM|TRYAGAIN|CLUSTERDOWN|NOREPLICAS|MISCONF)\b/;

/** Whether the server itself answered with an error, so that the outcome is known. */
export function isServerError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Whether the server refused for a reason that passes. */
export function isNotNow(error: unknown): boolean {
  return isServerError(error) && NOT_NOW.test(error.message);
}

/** Whether a node of a cluster says that it does not have the keys, or not all of them at this time. */
export function isElsewhere(error: unknown): boolean {
  return isServerError(error) && /^(MOVED|ASK|TRYAGAIN|READONLY)\b/.test(error.message);
}

/** Whether the server does not know a script, or lost it by a restart or failover. */
export function isUnknownScript(error: unknown): boolean {
  return isServerError(error) && error.message.startsWith('NOSCRIPT');
}

/** What is wrong with a Redis that cannot be used, and what to do, in a sentence. No secrets. */
export function explainRedisError(error: unknown, url = 'redis://127.0.0.1:6379'): string {
  const text = messageOf(error);
  const where = withoutSecrets(url);
  if (/WRONGPASS|invalid.*password|NOAUTH|without any password|AUTH/i.test(text)) {
    return `Redis at ${where} refuses the credentials (${firstWord(text)}): put the right user and password into the URL, redis://user:password@host:port`;
  }
  if (/CERT|certificate/i.test(text)) {
    return `Redis at ${where} has a certificate that is not trusted (${firstWord(text)}): give redis.options.tls.ca the certificate of who signed it`;
  }
  if (/ENOTFOUND|EAI_AGAIN/.test(text)) return `no host of the name in ${where}: check the Redis URL`;
  if (/ECONNREFUSED/.test(text)) {
    return `no Redis answers at ${where}: start one (redis-server), or set the URL of yours`;
  }
  if (/ETIMEDOUT|timed? ?out/i.test(text))
    return `Redis at ${where} does not answer in time: is it overloaded, frozen or behind a firewall?`;
  return `Redis at ${where} cannot be used: ${text}`;
}

/** A Redis URL that may be printed. A password may itself hold `@` or `/`, so all before the last `@` goes. */
export function withoutSecrets(url: string): string {
  return url.replace(/\/\/.*@/, '//***@').replace(/(password=)[^&]*/i, '$1***');
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  // Not by class: an error may come from another realm.
  const { code = '', message } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  return message === undefined ? String(error) : `${code} ${message}`.trim();
}

function firstWord(text: string): string {
  return text.split(' ', 1)[0] ?? text;
}
