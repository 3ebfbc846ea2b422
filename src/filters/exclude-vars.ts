/**
 * The `exclude-vars` filter (NVFlare: `ExcludeVars`): named tensors of an update leave as zeros, "no change", so that the
 * server learns nothing of them. They are never left out, which would take them out of the global model.
 *
 * Full weights cannot be excluded that way, since zeros are weights too; the filter does not take them.
 *
 * @module
 */
import type * as z from 'zod';
import { FilterBlockedError } from '../errors';
import { excludeVarsOptionsSchema, filterTraits } from '../jobs/filter-spec';
import { allocate, type Tensor } from '../tensor/tensor';
import { matchesAny, matchesGlob } from '../util/glob';
import { parseOptions } from '../util/parse-options';
import type { Filter } from './filter';

/** `names` of tensors; `*` in one stands for any characters. Each has to fit a tensor of the update. */
export type ExcludeVarsOptions = z.input<typeof excludeVarsOptionsSchema>;

/** The filter described above. @throws ConfigError when an option is wrong. */
export function excludeVars(options: ExcludeVarsOptions): Filter {
  const { names } = parseOptions("filter 'exclude-vars'", excludeVarsOptionsSchema, options);
  return {
    name: 'exclude-vars',
    accepts: filterTraits['exclude-vars'].accepts,
    apply(payload) {
      if (payload.kind === 'metrics') return payload;
      const known = [...payload.tensors.keys()];
      const idle = names.find((pattern) => !known.some((name) => matchesGlob(pattern, name)));
      if (idle !== undefined) throw fitsNothing(idle, known);
      const tensors = new Map<string, Tensor>();
      for (const [name, tensor] of payload.tensors) {
        const { dtype, data } = tensor;
        tensors.set(name, matchesAny(names, name) ? { ...tensor, data: allocate(dtype, data.length) } : tensor);
      }
      return { ...payload, tensors };
    },
  };
}

/** A misspelt name would otherwise let through what it was meant to hold back. */
function fitsNothing(pattern: string, known: readonly string[]): FilterBlockedError {
  const some = known.slice(0, 6).join(', ') + (known.length > 6 ? ', …' : '');
  return new FilterBlockedError(
    `Filter 'exclude-vars': no tensor of the update is named '${pattern}'. Nothing was sent.`,
    { hint: `Correct the name; the update has ${some}. '*' stands for any characters.` },
  );
}
