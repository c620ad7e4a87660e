/** class-transformer publishes the types of its metadata storage, but not under the path of the storage itself. */
declare module 'class-transformer/cjs/storage.js' {
  import type { MetadataStorage } from 'class-transformer/types/MetadataStorage.js';

  const storage: { readonly defaultMetadataStorage: MetadataStorage };
  export default storage;
}
