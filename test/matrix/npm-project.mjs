import { execFileSync } from 'node:child_process';

/** From npm's cache where it can. */
export function npmInstall(project, packages) {
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', ...packages], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
