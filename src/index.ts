/**
 * The public names of Consilium, chosen one by one. Importing them starts nothing.
 *
 * @module
 */

export { z } from 'zod';
export type {
  Aggregator,
  AggregatorOptions,
  Contribution,
  DirectAggregator,
  SiteUpdate,
} from './aggregators/aggregator';
export { type UpdateRules, validateUpdate } from './aggregators/validate-update';
export { weightedMean } from './aggregators/weighted-mean';
export {
  ConfigError,
  ConsiliumError,
  DataError,
  type ErrorTag,
  FilterBlockedError,
  isConsiliumError,
  UpdateRejectedError,
} from './errors';
export type { CaseSource } from './executors/case-source';
export type { Executor, ExecutorContext, ExecutorResult } from './executors/executor';
export type { ScriptSite, ScriptTask, TrainScript, TrainTask, ValidateTask } from './executors/script/script-site';
export type { SliceBatch, SliceCase, SliceLists, SliceSource } from './executors/slice-source';
export type { Trainer } from './executors/trainer';
export type { TrainReply, ValidateReply } from './executors/training-reply';
export type { TrainingSite } from './executors/training-site';
export { slotsOf as optimiserState, startRound } from './executors/training-state';
export type { Filter, FilterContext } from './filters/filter';
export type { Builder } from './graph/builder';
export type { Graph, Value } from './graph/graph';
export { estimateMemory, type MemoryEstimate } from './graph/memory';
export { aggregatorSpec } from './jobs/aggregator-spec';
export type {
  Environment,
  ModelScore,
  Outcome,
  Run,
  RunEvent,
  RunResult,
  SiteStatus,
} from './jobs/environment';
export { type ExportedJob, type ExportJobOptions, exportJob } from './jobs/export-job';
export { checkJobFile, readJobFile } from './jobs/job-file';
export { type JsonSchema, jobSchemaJson } from './jobs/job-schema';
export { type JobInput, type JobSpec, jobHash, parseJob } from './jobs/job-spec';
export {
  checkJobYaml,
  type JobCheck,
  type JobFromYamlOptions,
  type JobProblem,
  type JobToYamlOptions,
  jobFromYaml,
  jobToYaml,
} from './jobs/job-yaml';
export type { LossOptions } from './jobs/loss-spec';
export type { MetricOptions } from './jobs/metric-spec';
export type { GradientClip, OptimiserOptions, ParameterGroupOptions } from './jobs/optimiser-spec';
export type { OwnKind, OwnSpec } from './jobs/own-part';
export type { ScheduleOptions } from './jobs/schedule-spec';
export { roundSettings } from './jobs/workflow-spec';
export {
  type AccumulatingSession,
  type MicroBatch,
  openAccumulatingTrainer,
} from './nn/accumulating-trainer';
export { describeModel, type LayerDescription, type ModelDescription } from './nn/describe-model';
export { type EvaluationBatch, type Evaluator, type EvaluatorOptions, openEvaluator } from './nn/evaluator';
export { exportInferenceOnnx } from './nn/export-onnx';
export { type JointBatch, type JointSession, type JointTrainerOptions, openJointTrainer } from './nn/joint-trainer';
export { deepSupervisionLoss } from './nn/losses/deep-supervision';
export { type DiceLossOptions, writeDiceLoss } from './nn/losses/dice';
export { lsganLoss } from './nn/losses/distance';
export { writeLossOf } from './nn/losses/loss';
export { diceOfCounts } from './nn/metrics/dice';
export { type MetricNumbers, type NamedMetrics, writeMetricOf } from './nn/metrics/metric';
export { createModel, initialise, listModels, type Model } from './nn/model';
export { matchState, requireState, withAliases } from './nn/model-state';
export { openPredictor, type Predictor, type PredictorOptions } from './nn/predictor';
export { scheduledRate, scheduleFactor, scheduleSettings } from './nn/schedules/schedule';
export type { StepNetwork, StepWriter } from './nn/step-writer';
export { type Batch, openTrainer, type StepResult, type TrainerOptions, type TrainingSession } from './nn/trainer';
export { modelState, newTrainingState, type TrainingState } from './nn/training-state';
export type { PrivacyCost } from './privacy/cost';
export type { Task, Update } from './protocol/messages';
export type { Metrics, Payload } from './protocol/payload';
export {
  type Brats18PhantomOptions,
  type Brats18PrivacyOptions,
  Brats18Recipe,
  type Brats18RecipeOptions,
} from './recipes/brats18-recipe';
export { CrossSiteEvalRecipe, type CrossSiteEvalRecipeOptions } from './recipes/cross-site-eval-recipe';
export { CyclicRecipe, type CyclicRecipeOptions } from './recipes/cyclic-recipe';
export {
  type AveragingRecipeOptions,
  FedAvgRecipe,
  type FedAvgRecipeOptions,
  type ModelRecipeOptions,
  type TrainingRecipeOptions,
} from './recipes/fed-avg-recipe';
export { FedEvalRecipe, type FedEvalRecipeOptions } from './recipes/fed-eval-recipe';
export { FedOptRecipe, type FedOptRecipeOptions } from './recipes/fed-opt-recipe';
export { FedProxRecipe, type FedProxRecipeOptions } from './recipes/fed-prox-recipe';
export { FedStatsRecipe, type FedStatsRecipeOptions } from './recipes/fed-stats-recipe';
export {
  type MriPhantomOptions,
  MriTranslationRecipe,
  type MriTranslationRecipeOptions,
} from './recipes/mri-translation-recipe';
export { type CommonOptions, type FilterPlace, Recipe } from './recipes/recipe';
export { ScaffoldRecipe, type ScaffoldRecipeOptions } from './recipes/scaffold-recipe';
export {
  type StrategyFields,
  type StrategyName,
  type StrategyOptions,
  strategyNames,
  strategyOf,
  strategyTakes,
  tenStrategies,
} from './recipes/strategies';
export { WorkflowRecipe, type WorkflowRecipeOptions } from './recipes/workflow-recipe';
export {
  defineAggregator,
  defineData,
  defineFilter,
  defineModel,
  defineTracker,
  defineTrainer,
  defineWorkflow,
  type OwnPartSpec,
  type Tracker,
  type TrainerContext,
} from './runtime/define-part';
export { PocEnv, type PocEnvOptions } from './runtime/poc-env';
export { ProdEnv, type ProdEnvOptions } from './runtime/prod-env';
export { SimEnv, type SimEnvOptions } from './runtime/sim-env';
export type { FeatureSource, FeatureValues } from './statistics/feature-source';
export type { FeatureResult, FeatureStatistics, FederatedStatistics, Histogram, Quantiles } from './statistics/result';
export { statisticsOf } from './statistics/statistics-of';
export { loadModelFile, type ModelFile, saveModelFile } from './tensor/model-file';
export { float32, floatsOf, mapFloats, type NamedTensors, type Shape, type Tensor } from './tensor/tensor';
export type { Json } from './util/json';
export { stream as randomStream } from './util/streams';
export { type AskOptions, askSites } from './workflows/ask-sites';
export { type CrossSiteMatrix, crossSiteMatrix } from './workflows/cross-site-matrix';
export {
  meanMetrics,
  type Participation,
  type RoundReport,
  type WorkflowParts,
  type WorkflowState,
} from './workflows/workflow';
