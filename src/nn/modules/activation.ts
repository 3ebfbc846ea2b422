/**
 * Activations and dropout as modules.
 *
 * @module
 */
import type { ActivationSpec } from '../../jobs/models/common';
import type { DropoutSite } from '../models/definition';
import { leaf, type Module, stateless } from './module';

/** The activation that a specification names. */
export function activation(spec: ActivationSpec): Module {
  switch (spec.kind) {
    case 'relu':
      return stateless((b, x) => b.relu(x!));
    case 'sigmoid':
      return stateless((b, x) => b.sigmoid(x!));
  }
}

/** Drops activations in training, and is nothing at evaluation. */
export function dropout(site: Omit<DropoutSite, 'name'>): Module {
  return leaf([], (at, x) => at.dropout(x!, site));
}
