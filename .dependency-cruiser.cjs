/** The rules of ARCHITECTURE.md, checked by `npm run deps`; test/architecture breaks each of them once. */

const LAYERS = ['messages', 'transforms', 'broker', 'event-store', 'saga'];

const TESTS = '\\.(spec|type-spec)\\.ts$';
const TOOLS = ['^test/', '^bench/'];
const npmPackage = (names) => `(^|node_modules/)(${names})(/|$)`;

/** A library sees itself and what lies below it; its specs may use the testing library. */
const layer = (name, height) => ({
  name: `layer-${name}`,
  comment: `${name} imports only ${[...LAYERS.slice(0, height), 'itself'].join(', ')}: layers point downwards`,
  severity: 'error',
  from: { path: `^libs/${name}/` },
  to: { path: '^libs/', pathNot: `^libs/(${[...LAYERS.slice(0, height + 1), 'testing'].join('|')})/` },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...LAYERS.map(layer),
    {
      name: 'libs-know-no-app',
      comment: 'a library is useful without the shop: apps import libraries, never the other way round',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'testing-is-for-tests',
      comment: 'the testing library is for specs, tools and the demo: nothing that ships needs it at run time',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: [TESTS, '^libs/testing/', '^apps/demo/'] },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'packages-through-their-index',
      comment: 'another package is imported by its name, so only what its index exports can be reached',
      severity: 'error',
      from: { path: '^((?:libs|apps)/[^/]+|test|bench)/' },
      to: { path: ['^(libs|apps)/', '^@(millrace|shop)/[^/]+/'], pathNot: '^$1/', dependencyTypesNot: ['aliased'] },
    },
    {
      name: 'redis-client-in-the-redis-ring',
      comment: 'one ring talks to Redis, so the client can be replaced and the in-memory store stays equal to it',
      severity: 'error',
      from: { pathNot: ['^libs/broker/src/redis/', '^libs/testing/', '^apps/demo/', TESTS, ...TOOLS] },
      to: { path: npmPackage('ioredis|redis|@redis/client|iovalkey') },
    },
    {
      name: 'nest-in-the-nest-ring',
      comment: 'the core is plain TypeScript: modules, decorators and explorers live in nest/, and in the apps',
      severity: 'error',
      from: { pathNot: ['^libs/[^/]+/src/nest/', '^apps/', TESTS, ...TOOLS] },
      to: { path: npmPackage('@nestjs') },
    },
    {
      name: 'telemetry-in-the-telemetry-ring',
      comment: 'OpenTelemetry is optional: what imports it is loaded only where it is wanted',
      severity: 'error',
      from: { pathNot: ['^libs/broker/src/telemetry/', TESTS, ...TOOLS] },
      to: { path: npmPackage('@opentelemetry') },
    },
    {
      name: 'libraries-know-only-the-shape-of-pg',
      comment: 'whoever projects into PostgreSQL brings the client: the postgres ring describes what it needs of it',
      severity: 'error',
      from: { path: '^libs/', pathNot: TESTS },
      to: { path: npmPackage('pg|pg-[^/]+|@types/pg|postgres') },
    },
    {
      name: 'core-knows-no-adapter',
      comment: 'rings import inward: the core does not know what stores it or what hosts it',
      severity: 'error',
      from: { path: '^libs/([^/]+)/src/(?!(?:redis|in-memory|postgres|telemetry|nest)/|index\\.ts$)', pathNot: TESTS },
      to: { path: '^libs/$1/src/(redis|in-memory|postgres|telemetry|nest)/' },
    },
    {
      name: 'adapters-know-no-nest',
      comment: 'rings import inward: a store works without the container that will hold it',
      severity: 'error',
      from: { path: '^libs/([^/]+)/src/(redis|in-memory|postgres|telemetry)/', pathNot: TESTS },
      to: { path: '^libs/$1/src/nest/' },
    },
    {
      name: 'apps-stand-apart',
      comment: 'services meet in messages and share how a service starts; only the demo hosts several app modules',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '^apps/(contracts|demo)/' },
      to: { path: '^apps/', pathNot: '^apps/($1|contracts|service)/' },
    },
    {
      name: 'contracts-are-only-messages',
      comment: 'what services share is the shape of their messages, its validation and its history, nothing that runs',
      severity: 'error',
      from: { path: '^apps/contracts/', pathNot: TESTS },
      to: {
        pathNot: ['^apps/contracts/', '^libs/(messages|transforms)/', npmPackage('class-validator|class-transformer')],
      },
    },
    {
      name: 'no-circular',
      comment: 'a cycle has no first file to read, and ES modules load it in an order nobody chose',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'a file that nothing imports and that imports nothing is left over',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: [TESTS, ...TOOLS, '/index\\.ts$', '/main\\.ts$', '^apps/contracts/', '\\.d\\.ts$'],
      },
      to: {},
    },
    {
      name: 'no-unresolvable',
      comment: 'every import leads to a file or an installed package',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^@(millrace|shop)/[^/]+/' },
    },
    {
      name: 'shipping-code-declares-its-packages',
      comment: 'a package imports what its own package.json lists: an install from the registry brings nothing else',
      severity: 'error',
      from: { path: '^(libs|apps)/[^/]+/src/', pathNot: TESTS },
      to: { path: '(^|/)node_modules/', dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional'] },
    },
    {
      name: 'test-tools-stay-out-of-shipping-code',
      comment: 'what only a spec needs is imported only by specs and by the testing library',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: [TESTS, '^libs/testing/'] },
      to: { path: npmPackage('fast-check|jest|@jest/globals|supertest|@nestjs/testing|@?testcontainers') },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.spec.json' },
    tsPreCompilationDeps: true,
    exclude: { path: '^test/fixtures/' },
    doNotFollow: { path: '(^|/)(node_modules|dist)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default', 'require'],
    },
  },
};
