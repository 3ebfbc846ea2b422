/**
 * Filters with the tasks and sites whose payloads pass them.
 *
 * @module
 */
import type { FilterPlacement, Place } from '../jobs/filter-spec';
import type { Task } from '../protocol/messages';
import { ownTensors } from '../tensor/shared-tensors';
import { applyFilters, type Filter, type FilterContext } from './filter';
import { createFilter } from './registry';

export interface PlacedFilter {
  /** All tasks when absent. */
  readonly tasks: readonly string[] | undefined;
  /** All sites when absent. */
  readonly sites: readonly string[] | undefined;
  readonly filter: Filter;
}

/** The filters of a job at one place, in the job's order. @throws ConfigError for wrong options. */
export function filtersAt(placements: readonly FilterPlacement[], place: Place): PlacedFilter[] {
  return placements
    .filter(({ at }) => at === place)
    .map(({ tasks, sites, filter }) => ({ tasks, sites, filter: createFilter(filter) }));
}

/** Those that a payload of this task from or to this site passes. */
export function filtersFor(placed: readonly PlacedFilter[], task: string, site: string): Filter[] {
  return placed
    .filter(({ tasks, sites }) => (tasks?.includes(task) ?? true) && (sites?.includes(site) ?? true))
    .map(({ filter }) => filter);
}

/** The task with its model passed through the filters on its way to a site. */
export async function filterModel(
  placed: readonly PlacedFilter[],
  task: Task,
  site: string,
  context: FilterContext,
): Promise<Task> {
  const filters = filtersFor(placed, task.kind, site);
  if (filters.length === 0) return task;
  // A copy: the model is that of other sites too, and a filter may change what it is given.
  const payload = { kind: 'weights', tensors: ownTensors(task.model), metrics: {}, steps: 0 } as const;
  const { tensors } = await applyFilters(filters, payload, context);
  return { ...task, model: tensors };
}
