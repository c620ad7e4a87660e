/** What a server, a client or a Nest has to pass; patterns of Jest. */
export const SHORT = ['test/conformance/redis'];
export const STORES_AND_CONSUMING = ['test/conformance', 'test/broker', 'test/transport'];
export const NEST = [
  'test/transport',
  'test/describe',
  'test/broker/(nest|peers-defects-module|health|interoperability|schema-contracts|telemetry|transforms|cluster-service)',
  'libs/(event-store|saga)/src/nest',
];
