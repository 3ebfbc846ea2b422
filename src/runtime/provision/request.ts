/**
 * Kits whose keys never travel: a site or a person makes the key and asks for a certificate; the operator signs, and sends back
 * a kit without a key, to be put beside it.
 *
 * @module
 */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError, RefusedError } from '../../errors';
import { writeFileAtomic } from '../../util/atomic-file';
import { readBounded } from '../../util/read-bounded';
import { createRequest, keyOfRequest } from './authority';
import { parseJsonFile } from './json-file';
import { checkParticipant, type Participant, participantSpec } from './project';
import type { ProjectReport } from './project-report';
import { makeKitFor, type SignOptions } from './provision';
import { makePrivateFolder } from './write-kit';

const requestFile = z.strictObject({
  version: z.literal(1),
  ...participantSpec.shape,
  /** PKCS #10, PEM. */
  request: z.string().max(10_000),
});

/** Longest request, bytes. */
const maxRequestBytes = 32 * 1024;

export interface KitRequest {
  /** Stays here. */
  readonly key: string;
  /** To be sent to the operator; there is nothing secret in it. */
  readonly request: string;
}

/** Makes a key, and a request for a kit, in a new or empty folder. @throws ConfigError when the folder holds anything. */
export async function requestKit(folder: string, participant: Participant): Promise<KitRequest> {
  checkParticipant(participant);
  const root = resolve(folder);
  await makePrivateFolder(root);
  if ((await readdir(root)).length > 0) {
    throw new ConfigError(`'${root}' is not empty.`, { hint: 'Name a new folder: a key is never overwritten.' });
  }
  const { request, key } = await createRequest(participant.name);
  const files: KitRequest = { key: join(root, 'key.pem'), request: join(root, 'request.json') };
  await writeFileAtomic(files.key, key, { access: 'private' });
  await writeFileAtomic(files.request, `${JSON.stringify({ version: 1, ...participant, request }, undefined, 1)}\n`);
  return files;
}

/**
 * Makes the kit that a request asks for. Whether it came from whom it names is for the operator to know.
 *
 * @param again whether the name is on the roster already, and is to get a new certificate
 * @throws ConfigError for a file that is no request, RefusedError when its sender does not hold the key
 */
export async function signRequest(out: string, file: string, options: SignOptions = {}): Promise<ProjectReport> {
  const bytes = await readBounded(file, maxRequestBytes, 'request');
  if (bytes.byteLength > maxRequestBytes) throw new ConfigError(`'${file}' is no request: it is too long.`);
  const { version: _, request, ...participant } = parseJsonFile(bytes, requestFile, file);
  const key = await keyOfRequest(request, participant.name);
  if (!key) {
    throw new RefusedError(
      `The request '${file}' is refused: it does not prove that '${participant.name}' holds its key.`,
      {
        hint: 'Ask for the file again: `consilium provision request` makes it.',
      },
    );
  }
  return makeKitFor(out, participant, key, options);
}
