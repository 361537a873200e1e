/**
 * Writes `api/NAME.api.md`, every exported name and signature of a package, from its built declarations; without
 * `--update` it only compares, so that a change of the public interface is seen in review.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, exit } from 'node:process';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { folderOf, LIBRARIES, ROOT } from './packages.mjs';

const update = argv.includes('--update');
const scratch = mkdtempSync(join(tmpdir(), 'guestmem-api-'));
const reports = join(ROOT, 'api');
mkdirSync(reports, { recursive: true });

const changed = LIBRARIES.filter((name) => !report(name));
rmSync(scratch, { recursive: true, force: true });

if (changed.length > 0) {
  console.error(
    `The public interface of ${changed.join(', ')} is not what api/ says. If that is meant, run "npm run api:update", look at the difference, commit it, and add a changeset (breaking: major, or minor before 1.0).`,
  );
  exit(1);
}
console.log(`api: ${LIBRARIES.length} reports ${update ? 'written' : 'as committed'}`);

/** Is the report of `name` as committed (or updated)? */
function report(name) {
  const folder = folderOf(name);
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: join(folder, 'dist/index.d.ts'),
      newlineKind: 'lf',
      compiler: { overrideTsconfig: tsconfig(folder) },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: reports,
        reportTempFolder: join(scratch, name),
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        extractorMessageReporting: {
          default: { logLevel: 'none' },
        },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
    configObjectFullPath: join(folder, 'api-extractor.json'),
    packageJsonFullPath: join(folder, 'package.json'),
  });
  const result = Extractor.invoke(config, {
    localBuild: update,
    showVerboseMessages: false,
    messageCallback: (message) => {
      message.handled = true;
      if (message.logLevel === ExtractorLogLevel.Error)
        console.error(`${name}: ${message.formatMessageWithoutLocation()}`);
    },
  });
  if (result.errorCount > 0) {
    console.error(`${name}: ${result.errorCount} errors in the public interface`);
    exit(1);
  }
  if (!result.apiReportChanged || update) return true;
  print(join(reports, `${name}.api.md`), join(scratch, name, `${name}.api.md`));
  return false;
}

/** The lines that only one of two reports has. */
function print(before, after) {
  const lines = (file) => {
    try {
      return readFileSync(file, 'utf8').split('\n');
    } catch {
      return [];
    }
  };
  const [old, now] = [lines(before), lines(after)];
  const [oldSet, nowSet] = [new Set(old), new Set(now)];
  for (const line of old) if (!nowSet.has(line)) console.error(`- ${line}`);
  for (const line of now) if (!oldSet.has(line)) console.error(`+ ${line}`);
}

function tsconfig(folder) {
  return {
    compilerOptions: {
      target: 'ES2022',
      lib: ['ES2022', 'ESNext.Disposable'],
      types: [],
      module: 'nodenext',
      moduleResolution: 'nodenext',
      strict: true,
      skipLibCheck: false,
      customConditions: ['dist'],
    },
    files: [join(folder, 'dist/index.d.ts')],
  };
}
