/**
 * Training several networks together, each with its own optimiser and loss: generators and discriminators, students and
 * teachers. What a step does is a function that writes it.
 *
 * @module
 */
import { ConfigError } from '../errors';
import type { Feed } from '../onnx/session';
import { sizeOf } from '../tensor/tensor';
import { feedOf } from './checks';
import { feedsOf } from './step-feeds';
import { type EngineOptions, openStep } from './step-session';
import { type StepNetwork, StepWriter } from './step-writer';
import type { TrainingState } from './training-state';

export interface JointTrainerOptions<N extends string = string> extends EngineOptions {
  /** By name; one without an optimiser is used and not trained. */
  readonly networks: Readonly<Record<N, StepNetwork>>;
  /**
   * Writes one step: its inputs, the networks' applications, the updates in their order, and the numbers to report. What
   * stands after an update sees the updated network.
   */
  readonly write: (step: StepWriter) => void;
}

export interface JointBatch {
  /** The step's own inputs in C order, by name. */
  readonly inputs: Readonly<Record<string, Float32Array>>;
  /** Of each network that the step updates. */
  readonly learningRates: Readonly<Record<string, number>>;
  /** Its low 32 bits seed the step's dropout masks. */
  readonly dropoutSeed: number;
}

export interface JointSession<N extends string = string> {
  /**
   * One step; updates the states. Another state of the same model may stand in for a network from step to step, such as
   * the discriminator of the task in hand. It blocks this thread while the runtime computes.
   *
   * @returns the reported numbers and the observed ones
   * @throws NonFiniteError when a result is not finite, naming where that began; the states are as before then
   * @throws ShapeError, ConfigError when an input, a learning rate or a state is missing or does not fit
   */
  step(states: Readonly<Record<N, TrainingState>>, batch: JointBatch): Promise<Readonly<Record<string, number>>>;
}

/**
 * A session for steps of one kind. Sessions are shared within a process, so opening the same one again is cheap.
 *
 * @throws ConfigError, ShapeError when the step cannot be written; EngineError when options are out of range
 */
export async function openJointTrainer<N extends string>(options: JointTrainerOptions<N>): Promise<JointSession<N>> {
  const writer = new StepWriter(options.networks);
  options.write(writer);
  const written = writer.finish();
  const own = [...written.graph.inputs].filter(([name]) => writer.ownInputs.has(name));
  for (const name of written.observed) {
    const { shape } = written.graph.outputs.get(name)!;
    if (sizeOf(shape) === 1) continue;
    throw new ConfigError(`A joint step tells numbers, but its observed value '${name}' is of shape [${shape}].`, {
      hint: 'Observe its mean, or one number at a time.',
    });
  }
  const told = [...written.metrics, ...written.observed];
  const session = await openStep(written, options);
  return {
    async step(states, { inputs, learningRates, dropoutSeed }) {
      const given = new Map(Object.entries<TrainingState>(states));
      const fed = own.map(([name, { shape }]): readonly [string, Feed] => {
        const data = inputs[name];
        if (!data) throw new ConfigError(`The step needs its input '${name}' of shape [${shape}].`);
        return [name, feedOf(name, shape, data)];
      });
      const rates = new Map(Object.entries(learningRates));
      const feeds = feedsOf(written, given, { inputs: new Map(fed), learningRates: rates, dropoutSeed });
      const results = await session.run(given, feeds);
      return Object.fromEntries(told.map((name) => [name, results.get(name)![0]!]));
    },
  };
}
