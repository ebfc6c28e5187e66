/**
 * Who may import whom: the folders of src strictly downward, no cycles, each package in one file. `npm run lint` runs it
 * (test/lint/imports.mjs), and test/lint/imports.test.ts plants violations to see them refused.
 */

/** folder → what it may import at run time; types may come from anywhere below the commands */
const MAY_IMPORT = {
  ip: [],
  io: ['ip'],
  config: ['ip', 'io'],
  sources: ['ip', 'io', 'config'],
  build: ['ip'],
  render: ['ip'],
  host: ['ip', 'io'],
  logins: ['ip', 'io'],
  apply: ['ip', 'io', 'config', 'render', 'host'],
  check: ['ip', 'io', 'host', 'logins'],
  respond: ['ip', 'io', 'config', 'render', 'apply', 'host'],
  report: ['ip', 'io', 'config'],
  setup: ['ip', 'io', 'config'],
  doctor: ['ip', 'io', 'config', 'host', 'render', 'apply', 'setup'],
};

/** package → the one file that imports it; zod is at every boundary where data enters */
const ONE_FILE = {
  '@ip-location-db/geo-whois-asn-country-mmdb': 'sources/geo/specs',
  'cli-progress': 'io/progress',
  'cli-table3': 'io/table',
  commander: '(program|cli-[a-z-]+)',
  'ip-cidr': 'config/operator',
  'ipaddr.js': 'config/operator',
  leven: 'config/issues',
  'mmdb-lib': 'sources/geo/forms/mmdb',
  'proper-lockfile': 'io/lock',
  'modern-tar': 'io/archive',
  'sql.js': 'io/sqlite',
  undici: 'io/http',
  yaml: 'config/load',
  yauzl: 'io/archive',
};

const folders = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  name: `${folder}-downward`,
  comment: `src/${folder} may import ${['src/errors.ts', ...allowed].join(', ')} and types`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    path: '^src/',
    pathNot: [`^src/(${[folder, ...allowed].join('|')})/`, '^src/errors\\.ts$'],
    dependencyTypesNot: ['type-only'],
  },
}));

const packages = Object.entries(ONE_FILE).map(([name, file]) => ({
  name: `one-file-${name.replace(/[^a-z0-9]/g, '-')}`,
  comment: `${name} is imported in src/${file}.ts only`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^src/${file}\\.ts$` },
  to: { path: `(^|/)node_modules/${name.replace('.', '\\.')}(/|$)` },
}));

module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'heart-without-node',
      comment: 'src/ip and src/errors.ts run without node',
      severity: 'error',
      from: { path: '^src/(ip/|errors\\.ts)' },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'commands-are-the-top',
      comment: 'only program.ts and its parts load commands',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(commands/|(program|cli-[a-z-]+)\\.ts)' },
      to: { path: '^src/commands/' },
    },
    {
      name: 'no-dev-packages',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    ...folders,
    ...packages,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
