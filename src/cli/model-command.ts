/**
 * `consilium model …`: the models there are, what one is made of, whether a file fits one.
 *
 * @module
 */
import { Command } from 'commander';
import { ConfigError, DataError, isConsiliumError } from '../errors';
import { describeModel, type ModelDescription } from '../nn/describe-model';
import { createModel, listModels, type Model } from '../nn/model';
import { matchState } from '../nn/model-state';
import { problemsOf } from '../tensor/match-tensors';
import { loadModelFile } from '../tensor/model-file';
import { perAxis } from '../util/per-axis';
import { addOption, addSpatialLength, parseModelOptions } from './model-flags';
import { modelTable } from './model-table';
import { printJson } from './print-json';

interface ModelFlags {
  readonly option?: Readonly<Record<string, unknown>>;
  readonly options?: string;
  readonly shape?: readonly number[];
  readonly json?: boolean;
}

export function modelCommand(): Command {
  return new Command('model').addCommand(listCommand()).addCommand(showCommand()).addCommand(checkCommand());
}

function listCommand(): Command {
  return new Command('list')
    .description('The models by kind.')
    .option('--json', '{models: [{kind, title, options}]}')
    .exitOverride()
    .action(({ json }: ModelFlags) => {
      const models = listModels().map(({ kind, title }) => ({ kind, title, options: createModel({ kind }).options }));
      const width = Math.max(...models.map(({ kind }) => kind.length));
      const lines = models.map(({ kind, title }) => `${kind.padEnd(width)}  ${title}\n`);
      if (json) printJson({ models });
      else process.stdout.write(lines.join(''));
    });
}

function showCommand(): Command {
  return withOptions(new Command('show'))
    .description('Layers, shapes, parameters, multiply–accumulates and memory of a model.')
    .argument('<kind>', 'see: consilium model list')
    .option('--shape <n...>', 'spatial lengths of the image (64 each in 3-D, 256 in 2-D)', addSpatialLength)
    .option('--json', 'one JSON object on standard output')
    .addHelpText('after', '\nExample:\n  npx consilium model show segresnet --option initFilters=8 --shape 96 96 96')
    .action((kind: string, flags: ModelFlags) => {
      const model = createModel({ ...parseModelOptions(flags), kind });
      const description = describeFor(model, flags.shape);
      if (flags.json) printJson(description);
      else process.stdout.write(modelTable(description));
    });
}

/** @throws ConfigError when the lengths, by default the usual ones, do not fit the model: the flag is at fault, not a run */
function describeFor(model: Model, given: readonly number[] | undefined): ModelDescription {
  const lengths = given ?? usualLengths(model);
  try {
    return describeModel(model, [1, model.inChannels, ...lengths]);
  } catch (error) {
    if (!isConsiliumError(error, 'ShapeError')) throw error;
    const what = given ? `--shape ${lengths.join(' ')} does` : `The usual lengths ${lengths.join(' ')} do`;
    // No cause: its message is in this one already.
    throw new ConfigError(`${what} not fit the model '${model.kind}'. ${error.message}`, {
      hint: given ? `For example: --shape ${usualLengths(model).join(' ')}` : 'Give others with --shape.',
    });
  }
}

function checkCommand(): Command {
  return withOptions(new Command('check'))
    .description('Compare the tensors of a .safetensors, .pt or .pth file with those of a model. Nothing in it is run.')
    .argument('<file>', 'a model file')
    .requiredOption('--model <kind>', 'see: consilium model list')
    .option('--json', 'one JSON object on standard output')
    .addHelpText('after', '\nExample:\n  npx consilium model check best.pt --model segresnet --option initFilters=8')
    .action(check);
}

async function check(path: string, flags: ModelFlags & { readonly model: string }): Promise<void> {
  const model = createModel({ ...parseModelOptions(flags), kind: flags.model });
  const file = await loadModelFile(path);
  const match = matchState(model, file.tensors);
  const { missing, extra, misshaped, mistyped } = match;
  const notes = [...file.notes, ...match.notes];
  const problems = problemsOf(match);
  const report = {
    model: path,
    kind: model.kind,
    fits: problems.length === 0,
    missing,
    extra,
    misshaped,
    mistyped,
    notes,
  };
  if (flags.json) printJson(report);
  else for (const note of notes) process.stdout.write(`${note}\n`);
  if (problems.length > 0) {
    throw new DataError(`'${path}' does not fit the model '${model.kind}'. ${problems.join(' ')}`, {
      file: path,
      hint: 'Use a file of this model, or give the options that the file was made with.',
    });
  }
  if (!flags.json) process.stdout.write(`All ${match.tensors.size} tensors of '${model.kind}' are there and fit.\n`);
}

function withOptions(command: Command): Command {
  return command
    .option('--option <key=value>', 'an option of the model; may be repeated', addOption)
    .option('--options <json>', 'options of the model as a JSON object')
    .exitOverride();
}

/** Lengths that most networks take, rounded up to what this one takes. */
function usualLengths({ spatialDims, spatialDivisor, kind }: Model): readonly number[] {
  const usual = { 1: 1024, 2: 256, 3: 64 }[spatialDims];
  if (usual === undefined) throw new ConfigError(`Give the lengths of an image for '${kind}' with --shape.`);
  return perAxis(spatialDims, spatialDivisor).map((divisor) => Math.ceil(usual / divisor) * divisor);
}
