/**
 * Builds the API pages from the docstrings into `docs/api`; with `--check` it writes nothing and only demands that
 * every export is documented and every link leads somewhere.
 */
import { join } from 'node:path';
import { argv, exit } from 'node:process';
import { Application } from 'typedoc';
import { folderOf, LIBRARIES, ROOT } from './packages.mjs';

const check = argv.includes('--check');

const app = await Application.bootstrapWithPlugins({
  entryPoints: LIBRARIES.map((name) => join(folderOf(name), 'src/index.ts')),
  tsconfig: join(ROOT, 'tools/api/tsconfig.docs.json'),
  name: 'guestmem',
  readme: join(ROOT, 'README.md'),
  out: join(ROOT, 'docs/api'),
  excludeInternal: true,
  excludePrivate: true,
  githubPages: false,
  skipErrorChecking: true,
  disableGit: true,
  sourceLinkTemplate: 'https://github.com/guestmem/guestmem/blob/main/{path}#L{line}',
  validation: {
    notExported: false,
    invalidLink: true,
    notDocumented: true,
    rewrittenLink: false,
    unusedMergeModuleWith: true,
  },
  requiredToBeDocumented: ['Class', 'Interface', 'Function', 'Variable', 'TypeAlias', 'Enum'],
  treatValidationWarningsAsErrors: true,
  emit: check ? 'none' : 'docs',
  logLevel: 'Warn',
});

const project = await app.convert();
if (project === undefined) exit(1);
app.validate(project);
if (app.logger.hasErrors() || app.logger.hasWarnings()) exit(1);
if (!check) await app.generateOutputs(project);
console.log(check ? 'docs: every export is documented' : 'docs: written to docs/api');
