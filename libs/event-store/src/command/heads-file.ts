import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { ConfigurationError } from '@millrace/broker';
import type { ChainHead, IntactStream } from '../core/chain/stream-integrity.js';
import { checkHead } from '../core/chain/verify-head.js';

/** The head of a stream, as a line of a file. */
export interface SavedHead extends ChainHead {
  readonly stream: string;
  readonly partition: number;
}

/** @throws ConfigurationError that names the line which is no head */
export async function* readHeads(file: string): AsyncGenerator<SavedHead, void, void> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    number++;
    yield headIn(line, `${file} line ${number}`);
  }
}

function headIn(line: string, where: string): SavedHead {
  try {
    const head = JSON.parse(line) as SavedHead;
    checkHead(head);
    if (typeof head.stream === 'string' && Number.isSafeInteger(head.partition) && head.partition >= 0) return head;
  } catch {
    // Told below.
  }
  throw new ConfigurationError(`${where} is no head of a stream: give a file that --save-heads has written`);
}

/** Writes heads into a file, which gets its name when they are complete: what it held before stays until then. */
export class HeadsWriter {
  private constructor(
    private readonly file: string,
    private readonly handle: Awaited<ReturnType<typeof open>>,
  ) {}

  static async open(file: string): Promise<HeadsWriter> {
    return new HeadsWriter(file, await open(`${file}.part`, 'w'));
  }

  async add({ stream, partition, head }: IntactStream): Promise<void> {
    const saved: SavedHead = { stream, partition: partition.index, ...head };
    await this.handle.appendFile(`${JSON.stringify(saved)}\n`);
  }

  /** Gives the file its name. */
  async finish(): Promise<void> {
    await this.handle.sync();
    await this.handle.close();
    await rename(`${this.file}.part`, this.file);
  }

  /** Leaves the file of that name as it is. */
  async abandon(): Promise<void> {
    await this.handle.close();
    await rm(`${this.file}.part`);
  }
}
