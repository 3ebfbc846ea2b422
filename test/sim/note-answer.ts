import { decodeUpdateFile } from '../../src/protocol/update-file';
import type { History } from './history';

export interface OfferedAnswer {
  readonly round: number;
  readonly sha256: string;
  /** Of the site. */
  files(): ReadonlyMap<string, Buffer>;
}

/** Notes what a site offers to send, as it lies on its disk at that moment. */
export function noteAnswer(
  { sent, work, violations }: History,
  site: string,
  task: string,
  { round, sha256, files }: OfferedAnswer,
): void {
  const known = sent.get(`${site} ${sha256}`);
  const bytes = known ? undefined : [...files()].find(([path]) => path.includes(`.${sha256}.`))?.[1];
  if (!known && !bytes) {
    violations.push(`P13: ${site} answers with a blob that it has not kept.`);
    return;
  }
  const { update, model } = known ?? decodeUpdateFile(bytes!);
  sent.set(`${site} ${sha256}`, { site, task, sha256, update, model });
  if (update.task !== 'train') return;
  work.push({ kind: 'answering', site, round });
}
