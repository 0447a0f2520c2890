// The floors of the house, from the ground up. A file may import its own folder and lower floors,
// type imports included; folders that share a floor do not know each other.
const floors = [
  ['src/errors'],
  ['src/config'],
  ['src/engine', 'src/models'],
  ['src/migrations'],
  ['src/queue'],
  ['src/services'],
  ['src/workers', 'src/presenters', 'src/validators', 'src/seeders'],
  ['src/controllers', 'src/middlewares'],
  ['src/routes'],
  ['app.ts'],
  ['server.ts', 'worker.ts'],
  ['scripts'],
];

const within = (names) => `^(${names.join('|').replaceAll('.', '\\.')})(/|$)`;

const floorRules = floors.flatMap((floor, level) =>
  floor.map((folder) => {
    const others = floor.filter((name) => name !== folder);
    return {
      name: `floor-of-${folder}`,
      comment: `${folder} imports itself and lower floors only`,
      severity: 'error',
      from: { path: within([folder]) },
      to: { path: within([...others, ...floors.slice(level + 1).flat(), 'tests', 'bench']) },
    };
  }),
);

const package_ = (name) => `node_modules/(@types/)?${name}/`;

module.exports = {
  forbidden: [
    ...floorRules.filter(({ to }) => to.path !== '^()(/|$)'),
    {
      name: 'folder-without-floor',
      comment: 'a new folder gets its place in the array of floors first',
      severity: 'error',
      from: { path: '^src/', pathNot: within(floors.flat()) },
      to: {},
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'nothing-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'express-at-the-edge',
      comment: 'services and models must run without a request',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(middlewares|controllers|routes)/' },
      to: { path: package_('express') },
    },
    {
      name: 'engine-stands-alone',
      comment: 'the engine knows errors, and nothing else of the hub',
      severity: 'error',
      from: { path: '^src/engine/' },
      to: { path: '^src/', pathNot: '^src/(engine|errors)/' },
    },
    {
      name: 'engine-without-sequelize',
      severity: 'error',
      from: { path: '^src/engine/' },
      to: { path: package_('sequelize') },
    },
    {
      name: 'source-knows-only-the-contract',
      comment: 'a source is src/engine/sources/name.ts and what lies in src/engine/sources/name/',
      severity: 'error',
      from: { path: '^src/engine/sources/([^/.]+)', pathNot: '^src/engine/sources/registry\\.ts$' },
      to: {
        path: '^src/',
        pathNot: [
          '^src/engine/sources/$1[/.]',
          '^src/engine/sources/threads/',
          '^src/engine/contract\\.ts$',
          '^src/engine/types/',
          '^src/engine/postgres-session\\.ts$',
          '^src/errors/',
        ],
      },
    },
    {
      name: 'only-the-registry-imports-sources',
      severity: 'error',
      from: { path: '^(src|app|server|worker|scripts)', pathNot: '^src/engine/sources/' },
      to: { path: '^src/engine/sources/', pathNot: '^src/engine/sources/registry\\.ts$' },
    },
    {
      name: 'registry-imports-entry-files-of-sources',
      severity: 'error',
      from: { path: '^src/engine/sources/registry\\.ts$' },
      to: { path: '^src/engine/sources/[^/]+/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(coverage|\\.data|docs)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types'],
    },
  },
};
