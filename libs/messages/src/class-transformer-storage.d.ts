/** class-transformer publishes the types of its metadata storage, but not under the path of the storage itself. */
declare module 'class-transformer/cjs/storage.js' {
  const storage: {
    readonly defaultMetadataStorage: import('class-transformer/types/MetadataStorage.js').MetadataStorage;
  };
  export default storage;
}
