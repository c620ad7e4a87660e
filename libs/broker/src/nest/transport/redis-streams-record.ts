/** What a message has beside its data. */
export interface RedisStreamsRecordOptions {
  /** Messages of one key are handled in order. Default: none. */
  readonly key?: string;
  /** An event with this id is emitted once within a day, however often that is tried. Default: a new id each time. */
  readonly id?: string;
  /** What `getMetadata()` of the receiver's context gives. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Data with options. */
export class RedisStreamsRecord<T = unknown> {
  constructor(
    readonly data: T,
    readonly options: RedisStreamsRecordOptions,
  ) {}
}

/**
 * Adds options to the data of a message, as Nest's record builders do.
 *
 * @example
 * client.emit('order.placed', new RedisStreamsRecordBuilder(order).setKey(order.id).build());
 */
export class RedisStreamsRecordBuilder<T> {
  private options: RedisStreamsRecordOptions = {};

  constructor(private data: T) {}

  setData(data: T): this {
    this.data = data;
    return this;
  }

  setKey(key: string): this {
    this.options = { ...this.options, key };
    return this;
  }

  setId(id: string): this {
    this.options = { ...this.options, id };
    return this;
  }

  setMetadata(metadata: Readonly<Record<string, string>>): this {
    this.options = { ...this.options, metadata };
    return this;
  }

  build(): RedisStreamsRecord<T> {
    return new RedisStreamsRecord(this.data, this.options);
  }
}
