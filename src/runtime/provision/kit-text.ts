/**
 * The texts of a startup kit: how it is started, what to do with it, and the settings that may be changed.
 *
 * @module
 */
import type { KitInfo } from './kit-files';

/** `start.sh`: runs the command of the kit and starts it again when it crashes. */
export function startScript({ kind, name, project }: KitInfo): string {
  return kind === 'admin'
    ? adminScript(name, project)
    : daemonScript(kind === 'server' ? 'server' : 'client', name, project);
}

const findCommand = `# The kit's own folder: no command and no setting is looked for in it but by name.
kit=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 1
if [ -n "\${CONSILIUM:-}" ]; then command=$CONSILIUM
elif command -v consilium >/dev/null 2>&1; then command=consilium
else
  # Where it is installed in this folder or one above it. Not by npx, which hands no signal on.
  at=$PWD
  command=
  while [ -z "$command" ]; do
    if [ -x "$at/node_modules/.bin/consilium" ]; then PATH=$at/node_modules/.bin:$PATH; command=consilium
    elif [ -x "$at/bin/consilium.js" ]; then PATH=$at/bin:$PATH; command=consilium.js
    elif [ "$at" = / ]; then
      echo "consilium is neither on the PATH nor installed in $PWD: install it, or name the command in CONSILIUM." >&2
      exit 2
    else at=$(dirname -- "$at"); fi
  done
fi`;

function adminScript(name: string, project: string): string {
  return `#!/bin/sh
# Runs a command as '${name}' of the project '${project}': ./start.sh submit job.yaml
# CONSILIUM, when set, is the command to run instead of 'consilium'.
${findCommand}
[ $# -gt 0 ] || set -- jobs
exec $command "$@" --kit "$kit"
`;
}

/** Codes 0, 2 and 130 say that it is done, set up wrong or stopped: another start would end the same way. */
function daemonScript(command: 'server' | 'client', name: string, project: string): string {
  return `#!/bin/sh
# Runs '${name}' of the project '${project}', and starts it again when it crashes, after 1, 2, 4, ... 60 seconds.
# Flags are handed on: ./start.sh --workspace /data/consilium
# CONSILIUM, when set, is the command to run instead of 'consilium'.
${findCommand}
child=
stopping=
stop() { stopping=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null; }
trap stop INT TERM
pause=1
while [ -z "$stopping" ]; do
  started=$(date +%s)
  $command ${command} --kit "$kit" "$@" &
  child=$!
  wait "$child"; code=$?
  # A signal ends the wait before the command has ended.
  while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
  child=
  case $code in 0|2|130) exit $code;; esac
  [ -z "$stopping" ] || exit $code
  [ $(($(date +%s) - started)) -lt 300 ] || pause=1
  echo "consilium ${command} has ended with code $code and is started again in $pause s" >&2
  sleep "$pause" & child=$!
  wait "$child"
  child=
  pause=$((pause * 2))
  [ "$pause" -le 60 ] || pause=60
done
exit 130
`;
}

/** `README.md`: three steps. */
export function readme(info: KitInfo, caFingerprint: string): string {
  return `# Startup kit of ${info.kind === 'admin' ? info.role : info.kind} \`${info.name}\`, project \`${info.project}\`

This folder is who you are in the project: whoever has \`key.pem\` can act as \`${info.name}\`. Keep it readable by one user only.

${steps(info).join('\n')}

Compare the fingerprint of the project's authority with the operator, by telephone or in person:

    ${caFingerprint}

The kit is signed: a changed file is refused at the start.${settings(info)}
When the certificate nears its end (\`consilium doctor --kit .\` says when), the operator makes a new kit: \`consilium provision renew ${info.name}\`.${renewal(info)}
`;
}

function steps({ kind, server }: KitInfo): readonly string[] {
  const address = `${server.hosts[0]}:${server.port}`;
  const check = '2. Check it and this machine: `consilium doctor --kit .`';
  if (kind === 'server') {
    return [
      `1. Copy this folder to the server, and let ports ${[...new Set([server.port, server.adminPort])].join(' and ')} through its firewall.`,
      check,
      '3. Start it: `./start.sh`. It listens, and starts again after a crash.',
    ];
  }
  if (kind === 'site') {
    return [
      `1. Copy this folder to the machine with the data. It dials out to \`${address}\`; nothing has to be opened for calls from outside. Say in \`site.yaml\` where the data are, and in \`policy.yaml\` what this site takes part in.`,
      check,
      '3. Start it: `./start.sh`. It stays connected, and starts again after a crash.',
    ];
  }
  return [
    '1. Copy this folder to your own machine.',
    check,
    '3. Submit a job: `consilium submit job.yaml --kit .`, and watch it: `consilium jobs --kit .`',
  ];
}

function settings({ kind }: KitInfo): string {
  if (kind === 'server')
    return ' Yours to edit: `server.yaml`. `roster.json` says who may connect; the operator sends a new one.';
  return kind === 'site' ? ' Yours to edit: `site.yaml` and `policy.yaml`.' : '';
}

function renewal({ kind }: KitInfo): string {
  if (kind === 'admin') return '';
  const settings = kind === 'server' ? '`server.yaml`' : '`site.yaml` and `policy.yaml`';
  return ` Stop it, and copy the files of the new kit over these, all but ${settings}: the workspace stays where it is.`;
}

/** What the files that a user may edit say at first: nothing but what they can say. A line is in force without its first '# '. */
export const firstTexts: Readonly<Record<string, string>> = {
  'server.yaml': `# Settings of this server. Everything has a default; take the first '# ' of a line away to set it.
# workspace: workspace      # jobs, logs and the audit log; a relative path starts from this folder
# port: 8443                # to listen at, when it is not the one that sites dial
# metricsPort: 9464         # /metrics and /healthz, for this machine alone; null switches them off
# maxJobs: 4                # jobs that run at one time
# allowCode: never          # whose jobs may bring modules, which run in the server: never, admins, everyone
# heartbeatSeconds: 10      # something is said at least this often
# deadSeconds: 60           # who was silent for so long is disconnected, and connects anew
# siteLostSeconds: 600      # no round waits for a site that was out of touch for so long, if the others are enough
# stallSeconds: 300         # a job in which nothing has happened for so long says whom it waits for
# shutdownSeconds: 10       # time to end in order
`,
  'site.yaml': `# Settings of this site. Everything has a default; take the first '# ' of a line away to set it.
# workspace: workspace      # jobs, logs and the account of privacy; a relative path starts from this folder
# slots: 1                  # jobs that train here at one time
# data:                     # where this site has its data, whatever a job says of folders
#   brats18: {baseDir: /data/brats18, datalist: /data/brats18/site.json}
#   csv: {path: /data/table.csv}
#   slices: {path: /data/slices}
# variables:                # what \${NAME} in the data of a job stands for here
#   SCANS: /data/scans
# reconnectMaxSeconds: 30   # longest pause between two attempts to reach the server
# shutdownSeconds: 10       # time to end in order
`,
  'policy.yaml': `# What this site takes part in. A job cannot weaken it; whoever submits one is told what was refused and why.
# Without any line here, jobs of built-in parts only are taken: no script, program or module of a job is run.
# code: none                # none, any, or approved files by their SHA-256: {files: [...]}
# filters:                  # on everything that leaves this site, after those of a job
#   - filter: {kind: allow-metrics, metrics: ["*dice*", loss]}
`,
};
