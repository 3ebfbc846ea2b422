import { describe, expect, it } from 'vitest';
import { isConsiliumError } from '../../errors';
import { checkParticipant, parseProject } from './project';

const valid = `version: 1
project: brats
server:
  name: server
  hosts: [fl.example.org, 192.0.2.7, "2001:db8::7"]
  port: 8443
sites:
  - name: site-1
    org: North Hospital
  - {name: site-2, org: South Hospital}
admins:
  - {name: ada, org: North Hospital, role: researcher}
validityDays: 90
`;

const read = (text: string) => parseProject(Buffer.from(text), 'project.yaml');

function refusal(text: string): string {
  try {
    read(text);
  } catch (error) {
    expect(isConsiliumError(error, 'ConfigError') && error.hint, String(error)).toBeTruthy();
    return (error as Error).message;
  }
  throw new Error('The project was accepted.');
}

function changed(piece: string, by: string): string {
  if (!valid.includes(piece)) throw new Error(`No '${piece}' in the example.`);
  return valid.replace(piece, by);
}

describe('a project file', () => {
  it('says who takes part', () => {
    expect(read(valid)).toMatchObject({
      project: 'brats',
      server: { name: 'server', hosts: ['fl.example.org', '192.0.2.7', '2001:db8::7'], port: 8443 },
      sites: [{ name: 'site-1' }, { name: 'site-2' }],
      admins: [{ name: 'ada', role: 'researcher' }],
      validityDays: 90,
    });
  });

  it('needs no more than a server', () => {
    const { server, validityDays } = read('version: 1\nproject: p\nserver: {hosts: [localhost]}\n');
    expect({ server, validityDays }).toEqual({
      server: { name: 'server', hosts: ['localhost'], port: 8443 },
      validityDays: 365,
    });
  });

  const long = 'a'.repeat(64);
  it.each([
    ['is empty', '', ':1:1: version: is missing'],
    ['has no server', valid.replace(/server:\n( {2}.*\n)+/, ''), ':1:1: server: is missing'],
    [
      'has two servers',
      changed('server:\n', 'server:\n  hosts: [a.example]\nserver:\n'),
      "the key 'server' stands here a second time",
    ],
    [
      'has a list of servers',
      changed(/server:\n( {2}.*\n)+/.exec(valid)![0], 'server: [{hosts: [a]}, {hosts: [b]}]\n'),
      ':3:9: server: found a list. Allowed: ',
    ],
    ['is of an unknown version', changed('version: 1', 'version: 4'), ':1:10: version: found 4. Allowed: 1'],
    [
      'has a name twice',
      changed('name: site-2', 'name: site-1'),
      ":10:12: sites.1.name: the name 'site-1' stands here a second time",
    ],
    [
      'has a site named as the server',
      changed('name: site-2', 'name: server'),
      ":10:12: sites.1.name: the name 'server'",
    ],
    ['has an admin named as a site', changed('name: ada', 'name: site-1'), ":12:12: admins.0.name: the name 'site-1'"],
    [
      'has names that differ in case only',
      changed('name: site-2', 'name: Site-1'),
      ":10:12: sites.1.name: found 'Site-1'. Allowed: lower-case",
    ],
    [
      'has a name of 64 characters',
      changed('name: site-2', `name: ${long}`),
      `:10:12: sites.1.name: found '${long}'. Allowed: lower-case letters, digits and dashes, at most 63`,
    ],
    ['has a name that is a path', changed('name: site-2', 'name: ../x'), ":10:12: sites.1.name: found '../x'"],
    ['has a host with a port', changed('fl.example.org', 'fl.example.org:8443'), ':5:11: server.hosts.0: '],
    [
      'has a URL for a host',
      changed('fl.example.org', '"https://fl.example.org"'),
      'server.hosts.0: a name such as fl.example.org',
    ],
    [
      'has an address that is none',
      changed('192.0.2.7', '300.0.2.7'),
      ":5:27: server.hosts.1: a name such as fl.example.org, or an IP address; no port, no https:// (found '300.0.2.7')",
    ],
    ['has a wildcard', changed('fl.example.org', '"*.example.org"'), 'server.hosts.0'],
    ['has no host', changed('[fl.example.org, 192.0.2.7, "2001:db8::7"]', '[]'), ':5:10: server.hosts'],
    ['has a port that is none', changed('port: 8443', 'port: 65536'), ':6:9: server.port: found 65536'],
    [
      'has a role that is none',
      changed('role: researcher', 'role: reseacher'),
      ":12:44: admins.0.role: found 'reseacher'. Did you mean 'researcher'?",
    ],
    ['has no role', changed(', role: researcher', ''), 'admins.0.role: is missing'],
    ['has an organisation of two lines', changed('org: South Hospital', 'org: "South\\nHospital"'), 'sites.1.org'],
    ['is valid for too long', changed('validityDays: 90', 'validityDays: 399'), ':13:15: validityDays: found 399'],
    [
      'has an unknown field',
      changed('validityDays', 'validityDay'),
      ":13:1: validityDay: unknown key. Did you mean 'validityDays'?",
    ],
    ['is nested without end', '['.repeat(2000), 'nested more than 64 levels deep'],
    ['has an anchor', changed('brats', '&a brats'), "':2:10: '&a': anchors are not allowed".slice(1)],
    ['is no text', '\0\0', 'the control character 0x00'],
  ])('that %s is refused at the place', (_, text, message) => {
    const found = refusal(text);
    expect(found).toContain('project.yaml is not a valid project');
    expect(found).toContain(message);
  });

  it('with several mistakes lists them all', () => {
    const found = refusal(changed('port: 8443', 'port: 0').replace('name: ada', 'name: Ada').replace('90', '0'));
    expect(found).toContain('3 problems');
  });
});

describe('somebody who is added by a command', () => {
  it('is checked as in a project', () => {
    const add = (changes: object) => () => checkParticipant({ name: 'site-9', org: 'East', role: 'site', ...changes });
    expect(add({})).not.toThrow();
    expect(add({ name: 'Site 9' })).toThrow("name: found 'Site 9'. Allowed: lower-case");
    for (const org of ['', ' East', 'East\tWest', 'East\u2028West', 'E'.repeat(65)])
      expect(add({ org })).toThrow('org: ');
    for (const org of ['#00', 'a\\b', 'É'.repeat(64)]) expect(add({ org })).not.toThrow();
    expect(add({ role: 'server' })).toThrow("role: found 'server'.");
  });
});
