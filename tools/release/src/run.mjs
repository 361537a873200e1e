/** Child processes: quiet while they work, their whole output when they fail. */
import { spawn } from 'node:child_process';

const running = new Set();

/** Ends every child that still runs: nothing may write into a folder that is about to go. */
export function killAll() {
  for (const child of running) child.kill('SIGKILL');
}

/** Runs `command`; resolves with its standard output; rejects with everything it said when it fails. */
export function run(command, args, { cwd, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...clean(process.env), ...env },
      shell: process.platform === 'win32',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      running.delete(child);
      if (code === 0) resolve(stdout);
      else reject(new Error(`${command} ${args.join(' ')} (in ${cwd ?? '.'}) ended with ${code}\n${stdout}${stderr}`));
    });
  });
}

/** Settings of the npm or pnpm that started us must not reach those we start. */
function clean(env) {
  return Object.fromEntries(Object.entries(env).filter(([key]) => !/^(npm|pnpm)_/i.test(key) && key !== 'INIT_CWD'));
}

/** Runs `jobs` (functions that return promises), at most `width` at a time; results in order; the first failure ends it. */
export async function inParallel(width, jobs) {
  const results = new Array(jobs.length);
  let next = 0;
  const worker = async () => {
    while (next < jobs.length) {
      const at = next++;
      results[at] = await jobs[at]();
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
