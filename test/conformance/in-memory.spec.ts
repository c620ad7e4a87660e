import { InMemoryPartitionStore } from '@millrace/broker';
import { describePartitionStore } from '@millrace/testing';

describePartitionStore('memory', async () => {
  const store = new InMemoryPartitionStore();
  return { store, appendRaw: (source, fields) => store.append(source, fields), close: () => store.close() };
});
