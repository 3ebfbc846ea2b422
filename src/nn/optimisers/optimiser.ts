/**
 * The optimisers by kind.
 *
 * @module
 */
import {
  type OptimiserKind,
  type OptimiserOptions,
  type OptimiserSettings,
  type OptimiserSettingsOf,
  optimiserSpec,
} from '../../jobs/optimiser-spec';
import { parseOptions } from '../../util/parse-options';
import { adam, adamw } from './adam';
import { rmsprop } from './rmsprop';
import type { OptimiserRule } from './rule';
import { sgd } from './sgd';

const rules: { readonly [K in OptimiserKind]: OptimiserRule<OptimiserSettingsOf<K>> } = { adam, adamw, sgd, rmsprop };

/** The rule for the settings' kind. */
export function ruleOf(settings: OptimiserSettings): OptimiserRule<OptimiserSettings> {
  return rules[settings.kind] as OptimiserRule<OptimiserSettings>;
}

/** The settings with defaults filled in. @throws ConfigError naming each option that is wrong */
export function optimiserSettings(options: OptimiserOptions): OptimiserSettings {
  return parseOptions('the optimiser', optimiserSpec, options);
}
