import { hash } from 'node:crypto';
import { ConfigurationError } from '@millrace/broker';

/** The last member of a chained event's text; nothing comes behind it. */
const MEMBER = ',"chain":"';
const END = '"}';
/** Characters of a SHA-256 in base64url. */
const DIGITS = 43;
const LENGTH = MEMBER.length + DIGITS + END.length;
const LINK = /^,"chain":"[\w-]{43}"}$/;

/** A stored text, taken apart. */
export interface ChainedText {
  /** The text as it was before it was chained. */
  readonly text: string;
  /** Undefined: it carries none. */
  readonly chain: string | undefined;
}

/** What stands for the chain value before the first one: so a chain is of one stream, and of one place in it. */
export function startOf(stream: string, version: number): string {
  return `${stream} ${version}`;
}

/**
 * The chain value of an event: SHA-256 of the value before it, a line feed and its text, in base64url.
 *
 * @param previous the value of the event before it, or {@link startOf} its place
 */
export function linkOf(previous: string, text: string): string {
  return hash('sha256', `${previous}\n${text}`, 'base64url');
}

/** @throws ConfigurationError for a text that is no JSON object with members: nothing can be added to it */
export function withChain(text: string, chain: string): string {
  if (text.length < 3 || !text.startsWith('{') || !text.endsWith('}')) {
    const found = JSON.stringify(text.slice(0, 60));
    throw new ConfigurationError(`${found} is no CloudEvents JSON, so it cannot be part of a chain`);
  }
  return text.slice(0, -1) + MEMBER + chain + END;
}

export function withoutChain(stored: string): ChainedText {
  const at = stored.length - LENGTH;
  const end = at > 0 ? stored.slice(at) : '';
  if (!LINK.test(end)) return { text: stored, chain: undefined };
  return { text: `${stored.slice(0, at)}}`, chain: end.slice(MEMBER.length, MEMBER.length + DIGITS) };
}
