import { USAGE, verifyCommandOf } from './verify-options.js';

describe('the words of millrace-verify', () => {
  it('say where and what is verified', () => {
    const words = '--context vault --stream safe-1 --key k --from 3 --archive a --redis redis://r --namespace n';
    expect(verifyCommandOf(words.split(' '))).toEqual({
      redis: 'redis://r',
      namespace: 'n',
      archive: 'a',
      wanted: { context: 'vault', stream: 'safe-1', key: 'k', from: 3 },
    });
    expect(verifyCommandOf('--context vault --heads h --save-heads s'.split(' '))).toMatchObject({
      namespace: 'millrace',
      wanted: { context: 'vault', heads: 'h', saveHeads: 's' },
    });
  });

  it('may be a question', () => {
    expect(verifyCommandOf(['--help'])).toBeUndefined();
  });

  it.each([
    ['', USAGE],
    ['--context vault --verbose', "Unknown option '--verbose'"],
    ['--context vault safe-1', "Unexpected argument 'safe-1'"],
    ['--context vault --from 2', '--key and --from are about one stream: say which with --stream'],
    ['--context vault --key k', '--key and --from are about one stream: say which with --stream'],
    ['--context vault --stream s-1 --from two', "--from: 'two' must be a version, 1 or more"],
    ['--context vault --stream s-1 --from 0', "--from: '0' must be a version, 1 or more"],
    ['--context vault --stream s-1 --category s', '--stream and --category: give one of them'],
  ])('are refused where they cannot be meant: %s', (words, message) => {
    expect(() => verifyCommandOf(words.split(' ').filter(Boolean))).toThrow(message);
  });
});
