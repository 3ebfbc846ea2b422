/**
 * Bugs that somebody could write into the product one day, each a small change of its sources. The simulation has to find every
 * one of them: `npm run test:mutants`.
 *
 * @module
 */

export interface Edit {
  readonly file: string;
  /** Stands in the file just once. */
  readonly find: string;
  readonly replace: string;
}

export interface PlantedBug {
  readonly name: string;
  /** Which promise it breaks. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
}

const bug = (name: string, breaks: string, file: string, find: string, replace: string): PlantedBug => ({
  name,
  breaks,
  edits: [{ file, find, replace }],
});

export const plantedBugs: readonly PlantedBug[] = [
  // The order of things on disk, and what is told of it.
  bug(
    'an answer is acknowledged before it is flushed',
    'P1',
    'src/workflows/ask-sites.ts',
    `Promise.resolve(recorded).then(() => acknowledge?.('accepted', ''))`,
    `Promise.resolve(acknowledge?.('accepted', '')).then(() => recorded)`,
  ),
  bug(
    'a file is renamed before it is flushed',
    'P10',
    'src/util/atomic-file.ts',
    `        if (durable) await file.sync();\n`,
    '',
  ),
  bug(
    'a folder is not flushed after a file in it was renamed',
    'P10',
    'src/util/atomic-file.ts',
    `    if (durableName) await disk.syncFolder(folder);\n`,
    '',
  ),
  bug(
    'a new folder is not flushed in the one above it',
    'P10',
    'src/util/durable-folder.ts',
    `  await disk.syncFolder(above).catch(`,
    `  await Promise.resolve().catch(`,
  ),
  bug(
    'an update that the journal takes over is not flushed there',
    'P1',
    'src/runtime/round-journal.ts',
    `name);\n      await disk.syncFolder(ofRound);\n`,
    `name);\n`,
  ),
  bug(
    'an answer that has arrived is not flushed',
    'P1',
    'src/transport/file-sink.ts',
    `    if (flush !== 'nothing') await flushed(arrived);\n`,
    '',
  ),
  {
    name: 'a round is closed before its updates are kept',
    breaks: 'P4',
    edits: [
      {
        file: 'src/workflows/ask-sites.ts',
        find: `    }\n    await Promise.all(recording);\n`,
        replace: `    }\n`,
      },
      {
        file: 'src/workflows/ask-sites.ts',
        find: `    await Promise.allSettled(recording);\n`,
        replace: '',
      },
    ],
  },
  {
    name: 'the journal is dropped before the checkpoint is written',
    breaks: 'P1',
    edits: [
      {
        file: 'src/runtime/checkpoint.ts',
        find: `    await flushFolder(folder, disk); // The names of the models stand before a checkpoint says so.\n`,
        replace: `    await flushFolder(folder, disk);\n    await journal.close(openRound(state));\n`,
      },
    ],
  },
  bug(
    'the journal drops the round that is under way',
    'P1',
    'src/runtime/checkpoint.ts',
    `history.last?.final ? round + 1 : round;`,
    `history.last?.final ? round + 1 : round + 1;`,
  ),
  bug(
    'only one checkpoint is kept',
    'P10',
    'src/runtime/checkpoint.ts',
    `    await removeOutdated(state, whole);`,
    `    await removeOutdated(state, undefined);`,
  ),
  bug(
    'a wrong checksum is ignored',
    'P10',
    'src/util/checked-json.ts',
    `  return withCheck(json, before) === text ? `,
    `  return withCheck(json, before) !== '' ? `,
  ),
  bug(
    'a damaged model is taken for a whole one',
    'P10',
    'src/runtime/checkpoint.ts',
    `    if (sha256Of(bytes) !== sha256) throw`,
    `    if (sha256 === '') throw`,
  ),
  bug(
    'who took part in a closed round is ignored after a restart',
    'P4',
    'src/workflows/ask-sites.ts',
    `  const concluded = await journal.concluded?.(task);`,
    `  const concluded = undefined as Participation[] | undefined;`,
  ),

  // What counts.
  bug(
    'updates are added in the order of arrival',
    'P4',
    'src/aggregators/weighted-mean.ts',
    `      const added = addThoseWhoseTurnItIs();`,
    `      const added = addToSums(site, { tensors: payload.tensors, release });`,
  ),
  bug(
    'sites that have answered are asked again after a restart',
    'P3',
    'src/workflows/ask-sites.ts',
    `!done.has(name) || (attempt > 0`,
    `attempt === 0 || !done.has(name) || (attempt > 0`,
  ),
  bug(
    'an answer that comes twice is accepted twice',
    'P3',
    'src/transport/asked-task.ts',
    `  return settled.outcome === 'accepted' ? counted : settled;`,
    `  return settled;`,
  ),
  bug(
    'an update with a number that is none is added',
    'P4',
    'src/aggregators/validate-update.ts',
    `  if (index !== -1) reject(`,
    `  if (index < -1) reject(`,
  ),
  bug(
    'an update in the name of another site is taken',
    'S6',
    'src/transport/remote-sites.ts',
    `  same('of the site', site, update.site);\n`,
    '',
  ),
  {
    name: 'an update of another round is taken',
    breaks: 'S5',
    edits: [
      { file: 'src/transport/remote-sites.ts', find: `  same('of round', task.round, update.round);\n`, replace: '' },
      {
        file: 'src/aggregators/validate-update.ts',
        find: `  if (round !== rules.round) reject(`,
        replace: `  if (round > rules.round) reject(`,
      },
    ],
  },
  bug(
    'an update of another model is taken',
    'C-22',
    'src/transport/remote-sites.ts',
    `  same('computed on the model', asked.ref.sha256, model);\n`,
    '',
  ),
  bug(
    'an update of any weight is taken',
    'P4',
    'src/aggregators/validate-update.ts',
    `payload.steps < 1 || `,
    `payload.steps < 0 || `,
  ),
  bug(
    'a round closes without its quorum',
    'P6',
    'src/workflows/ask-sites.ts',
    `  if (accepted >= minSites) return;`,
    `  if (accepted >= 1) return;`,
  ),
  {
    name: 'an answer that comes too late counts in the round after',
    breaks: 'S5',
    edits: [
      {
        file: 'src/transport/hub-job.ts',
        find: `    const { task, round } = told;\n    const asked = seatJob.asked.get(task);`,
        replace: `    const { task, round } = told;\n    const asked = seatJob.asked.get(current?.round === round + 1 ? current.id : task);`,
      },
      { file: 'src/transport/remote-sites.ts', find: `  same('of round', task.round, update.round);\n`, replace: '' },
      {
        file: 'src/transport/remote-sites.ts',
        find: `  same('computed on the model', asked.ref.sha256, model);\n`,
        replace: '',
      },
      {
        file: 'src/aggregators/validate-update.ts',
        find: `  if (round !== rules.round) reject(`,
        replace: `  if (round > rules.round) reject(`,
      },
    ],
  },
  bug(
    'a round waits for the others although its grace is over',
    'P6',
    'src/workflows/ask-sites.ts',
    `    cancelGrace = clock.after(graceSeconds * 1000, () => enough.abort());`,
    `    cancelGrace = clock.after(graceSeconds * 1e6, () => enough.abort());`,
  ),
  bug(
    'a site whose answer comes too late is told nothing',
    'P7',
    'src/transport/hub-job.ts',
    `      else if (asked.state === 'closed') say(seat, ofTask, tooLate);\n`,
    '',
  ),

  // Waiting, and coming back.
  bug(
    'a site that stays out of touch is waited for',
    'P5',
    'src/transport/hub-job.ts',
    `      if (!seatOf(site).channel) pending.lost(`,
    `      if (seatOf(site).channel) pending.lost(`,
  ),
  bug(
    'a site that stays out of touch is waited for anew in every round',
    'P12',
    'src/transport/hub-job.ts',
    `clock.monotonicMs() - seatOf(site).sinceMs;`,
    `clock.monotonicMs() - Math.max(seatOf(site).sinceMs, asked.sinceMs);`,
  ),
  bug(
    'a site is given up by the clock on the wall',
    'P12',
    'src/transport/hub-job.ts',
    `const silentMs = () => clock.monotonicMs() - `,
    `const silentMs = () => clock.wallMs() - Date.UTC(2026, 0, 1) - `,
  ),
  {
    name: 'heartbeats go by the clock on the wall',
    breaks: 'P12',
    edits: [
      {
        file: 'src/transport/pulse.ts',
        find: `  let lookedAt = clock.monotonicMs();`,
        replace: `  let lookedAt = clock.wallMs();`,
      },
      {
        file: 'src/transport/pulse.ts',
        find: `    const now = clock.monotonicMs();\n    const passedMs`,
        replace: `    const now = clock.wallMs();\n    const passedMs`,
      },
    ],
  },
  bug(
    'a dead connection is not noticed',
    'P5',
    'src/transport/pulse.ts',
    `    if (silentMs >= deadMs) return`,
    `    if (silentMs >= 1000 * deadMs) return`,
  ),
  bug(
    'a pause of the process itself is taken for the death of the other end',
    'C-38',
    'src/transport/pulse.ts',
    `    count(Math.min(passedMs, 2 * interval()));`,
    `    count(passedMs);`,
  ),
  bug(
    'a site that cannot reach its server gives up',
    'P8',
    'src/transport/agent.ts',
    `      if (signal.aborted) break;\n      failures`,
    `      if (signal.aborted || !wasWell) break;\n      failures`,
  ),
  bug(
    'open tasks are not told again to a site that is back',
    'P8',
    'src/transport/hub-job.ts',
    `    for (const answer of state?.answers ?? []) offer(seat, seatJob, answer);\n    tell(seat);`,
    `    for (const answer of state?.answers ?? []) offer(seat, seatJob, answer);`,
  ),
  bug(
    'an answer whose transfer broke off is not taken up again',
    'P8',
    'src/transport/hub-job.ts',
    `      asked.state = 'open';\n      if (!isConsiliumError`,
    `      if (!isConsiliumError`,
  ),
  {
    name: 'an answer that was lost on the way is never offered again',
    breaks: 'P8',
    edits: [
      {
        file: 'src/runtime/client/site-jobs.ts',
        find: `answers: [...answers.untold()] },`,
        replace: `answers: [] },`,
      },
      {
        file: 'src/transport/agent-tasks.ts',
        find: `      forget(id, task);\n      on({ kind: 'answering'`,
        replace: `      on({ kind: 'answering'`,
      },
    ],
  },
  bug(
    'the end of a replaced connection passes for the end of the site',
    'P8',
    'src/transport/hub.ts',
    `    if (seat.channel !== channel) return; // It was replaced; its successor is there.\n`,
    '',
  ),
  bug(
    'a site that was away is not told of the end of a job',
    'P5',
    'src/transport/hub.ts',
    `    for (const [id, state] of states) if (!jobs.get(id)?.has(seat.name)) standsStill(seat, channel, state);\n`,
    '',
  ),

  // The wire.
  bug(
    'a frame that comes twice is taken twice',
    'P3',
    'src/transport/channel.ts',
    `      budget.spend();\n      return false;`,
    `      budget.spend();\n      return true;`,
  ),
  bug(
    'a lost frame is not missed',
    'P8',
    'src/transport/channel.ts',
    `    if (number > expected) throw lostFrames(peer, expected, number - 1);`,
    `    if (number > expected) stats.framesIn = number - 1;`,
  ),
  bug(
    'what arrived of a blob is taken for all of it',
    'P10',
    'src/transport/blob-receiver.ts',
    `    return hash.digest('hex') === ref.sha256;`,
    `    return hash.digest('hex') !== '';`,
  ),

  // The site.
  {
    name: 'an answer is worked out anew when it is asked for again',
    breaks: 'P13',
    edits: [
      {
        file: 'src/runtime/client/site-jobs.ts',
        find: `      return job.answers.of(message.task) ?? inTurn(`,
        replace: `      return inTurn(`,
      },
      { file: 'src/runtime/client/site-jobs.ts', find: `  if (known) return known;\n`, replace: '' },
    ],
  },
  bug(
    'an answer is forgotten with the end of its round',
    'P13',
    'src/runtime/client/answer-store.ts',
    `const roundsKept = 4;`,
    `const roundsKept = 1;`,
  ),
  bug(
    'an answer is told of before it is kept',
    'P13',
    'src/runtime/client/answer-store.ts',
    `    await writeFileAtomic(path, parts, { disk });`,
    `    await writeFileAtomic(path, parts, { disk, durable: false });`,
  ),
  bug(
    'a training goes on from the newest state, whatever its round',
    'P4',
    'src/runtime/site-store.ts',
    `.filter((one) => one <= round)`,
    `.filter((one) => one <= round + 9)`,
  ),
  bug(
    'a training that is repeated begins one round late',
    'P4',
    'src/executors/site.ts',
    `const latest = kind === 'train' ? round - 1 : round;`,
    `const latest = round;`,
  ),
  bug(
    'a state is not flushed before its answer leaves',
    'P4',
    'src/runtime/state-file.ts',
    `  await writeFileAtomic(path, parts, { disk });`,
    `  await writeFileAtomic(path, parts, { disk, durable: false });`,
  ),
  bug(
    'the ledger begins anew with every start',
    'P13',
    'src/runtime/site-ledger.ts',
    `    for (const { entry } of lines) entries.push(entry);`,
    ``,
  ),
  bug(
    'a charge is booked while the update leaves',
    'P13',
    'src/executors/site.ts',
    `        await parts.ledger.charge(task, name, cost);`,
    `        void parts.ledger.charge(task, name, cost).catch(() => {});`,
  ),
  bug(
    'a charge is not flushed',
    'P13',
    'src/runtime/site-ledger.ts',
    `    await appendLine(file, line, { durable: true, disk });`,
    `    await appendLine(file, line, { disk });`,
  ),
  {
    name: 'a damaged ledger is mended',
    breaks: 'P13',
    // Two things see the damage: the checksums of the lines, and the count of them beside.
    edits: [
      {
        file: 'src/runtime/site-ledger.ts',
        find: `    if (!isLast || !line.includes('\\0')) throw`,
        replace: `    if (line === '') throw`,
      },
      {
        file: 'src/runtime/site-ledger.ts',
        find: `  if (!checked) return;\n  const noted`,
        replace: `  if (!checked || lines.length < 1000) return;\n  const noted`,
      },
    ],
  },
  bug(
    'the filters of a site are passed over',
    'S10',
    'src/executors/site.ts',
    `      payload: filtered,`,
    `      payload: filtered === payload ? filtered : payload,`,
  ),
  bug(
    'the message of an error leaves its site',
    'S10',
    'src/protocol/failure-summary.ts',
    `{ tag, summary = summarise(error) } = errorToData(error)`,
    `{ tag, message: summary } = errorToData(error)`,
  ),
];
