/**
 * Run before a package is packed: only pnpm puts in versions for `workspace:^` and the built exports for those of the workspace. What another
 * program packs cannot be installed, and nothing says so before a user tries.
 */
import { env, exit } from 'node:process';

const agent = env.npm_config_user_agent ?? '';
if (!agent.startsWith('pnpm/')) {
  const who = agent.split('/')[0] || 'another program';
  console.error(
    `${env.npm_package_name ?? 'this package'} must be packed by pnpm, which puts in versions and built exports; a tarball that ${who} makes cannot be installed.\n` +
      'Run `npx pnpm pack` here, or `npm run release:publish` in the root folder.',
  );
  exit(1);
}
