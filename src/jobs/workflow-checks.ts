/**
 * What a workflow needs of the other parts of its job.
 *
 * @module
 */
import { type AggregatorSpec, fewestUpdates } from './aggregator-spec';
import type { CheckedJob, Report } from './job-checks';
import { isOwn } from './own-part';
import { trainsNetwork, transferOf } from './trainer-spec';

/** Adds an issue for everything that does not fit the workflow. */
export function checkWorkflow(job: CheckedJob, report: Report): void {
  const { workflow } = job;
  if (isOwn(workflow)) return;
  if ('sitesPerRound' in workflow) checkSampling(job, workflow, report);
  if ('aggregator' in workflow && workflow.rounds > 0) checkUpdates(job, workflow, report);
  switch (workflow.kind) {
    case 'fed-avg':
      checkProximal(job, workflow, report);
      checkDitto(job, workflow, report);
      checkContrast(job, workflow, report);
      return;
    case 'scaffold':
      checkScaffold(job, workflow, report);
      return;
    case 'fed-select':
      checkFedSelect(job, workflow, report);
      return;
    case 'cross-site-eval':
      for (const name of Object.keys(workflow.checkpoints)) {
        if (job.sites.includes(name)) report(['workflow', 'checkpoints', name], 'a site has this name');
      }
      if (workflow.rounds === 0) checkStart(job, report);
      return;
    case 'fed-eval':
      checkStart(job, report);
  }
}

function checkSampling(
  { sites }: CheckedJob,
  {
    sitesPerRound = sites.length,
    minSites,
  }: { readonly sitesPerRound?: number | undefined; readonly minSites: number },
  report: Report,
): void {
  const path = ['workflow', 'sitesPerRound'];
  if (sitesPerRound > sites.length) report(path, `it is ${sitesPerRound}, but the job has ${sites.length} sites`);
  else if (minSites > sitesPerRound)
    report(path, `it is ${sitesPerRound}, but a round needs ${minSites} sites (minSites)`);
}

/** A round that asks too few sites could never succeed. One that loses too many fails when it does. */
function checkUpdates(
  { sites }: CheckedJob,
  {
    aggregator,
    sitesPerRound = sites.length,
  }: { readonly aggregator: AggregatorSpec; readonly sitesPerRound?: number | undefined },
  report: Report,
): void {
  const needed = fewestUpdates(aggregator);
  if (needed <= sitesPerRound) return;
  const asked = `${sitesPerRound} ${sitesPerRound === 1 ? 'is' : 'are'} asked`;
  report(
    ['workflow', 'aggregator'],
    `'${aggregator.kind}' needs the updates of ${needed} sites with these settings, but ${asked}`,
  );
}

function checkProximal(
  { trainer }: CheckedJob,
  { proximalMu, proximalReference }: { readonly proximalMu?: number | undefined; readonly proximalReference: string },
  report: Report,
): void {
  if (proximalReference !== 'round' && proximalMu === undefined) {
    report(['workflow', 'proximalReference'], 'there is no proximal term: set workflow.proximalMu');
  }
  if (proximalMu === undefined || !trainsNetwork(trainer) || trainer.proximalMu === 0) return;
  report(['workflow', 'proximalMu'], "trainer.proximalMu is set too; leave one of them, the workflow's say");
}

function checkDitto(
  { trainer }: CheckedJob,
  { ditto, personal }: { readonly ditto?: object | undefined; readonly personal?: unknown },
  report: Report,
): void {
  if (ditto === undefined) return;
  if (personal !== undefined) report(['workflow', 'ditto'], 'the model of its own has no need of personal tensors');
  if (isOwn(trainer) || trainsNetwork(trainer)) return;
  report(
    ['workflow', 'ditto'],
    `a site's own model is held near another one than it starts from, which a trainer of kind '${trainer.kind}' is not told`,
  );
}

function checkContrast(
  { trainer }: CheckedJob,
  { contrast, personal }: { readonly contrast?: object | undefined; readonly personal?: unknown },
  report: Report,
): void {
  if (contrast === undefined) return;
  if (personal === undefined) report(['workflow', 'contrast'], "it is about what is not personal: set 'personal' too");
  if (isOwn(trainer) || trainsNetwork(trainer)) return;
  report(['workflow', 'contrast'], `a trainer of kind '${trainer.kind}' does not know the term`);
}

function checkFedSelect(
  { trainer }: CheckedJob,
  { aggregator }: { readonly aggregator: { readonly kind: string } },
  report: Report,
): void {
  if (transferOf(trainer) !== 'weight-diff') {
    report(['trainer', 'transfer'], "FedSelect needs the differences that training made: set it to 'weight-diff'");
  }
  if (!['weighted-mean', 'mean'].includes(aggregator.kind)) {
    report(['workflow', 'aggregator'], 'numbers are averaged over the sites that share them: weighted-mean or mean');
  }
  if (isOwn(trainer) || trainsNetwork(trainer)) return;
  report(
    ['trainer'],
    `FedSelect moves some numbers of the model at a time, which a trainer of kind '${trainer.kind}' does not`,
  );
}

function checkScaffold(
  { trainer }: CheckedJob,
  { learningRate }: { readonly learningRate?: number | undefined },
  report: Report,
): void {
  if (transferOf(trainer) !== 'weight-diff') {
    report(['trainer', 'transfer'], "SCAFFOLD needs the differences that training made: set it to 'weight-diff'");
  }
  if (!trainsNetwork(trainer)) {
    if (learningRate !== undefined) return;
    report(['workflow', 'learningRate'], 'SCAFFOLD needs to know the learning rate of your training code');
    return;
  }
  if (learningRate !== undefined) {
    report(['workflow', 'learningRate'], `the ${trainer.kind} trainer has its own: set trainer.learningRate`);
  }
  const { optimiser } = trainer;
  if (optimiser.kind !== 'sgd' || optimiser.momentum > 0) {
    const message = 'control variates follow from plain gradient steps: set kind sgd, without momentum';
    report(['trainer', 'optimiser'], message);
  }
}

/** @param job one that trains nothing */
function checkStart({ model, initialCheckpoint }: CheckedJob, report: Report): void {
  if (initialCheckpoint !== undefined || model.kind === 'checkpoint') return;
  report(['initialCheckpoint'], "nothing is trained, so the job needs a model to score: name the network's file here");
}
