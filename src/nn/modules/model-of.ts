/**
 * A tree of modules as a model.
 *
 * @module
 */
import type { Model } from '../models/definition';
import { buffersOf, type Module, parametersOf, rootPlace } from './module';

type Head = Pick<Model, 'kind' | 'options' | 'spatialDims' | 'inChannels' | 'outChannels' | 'spatialDivisor'> &
  Partial<Pick<Model, 'conditions' | 'aliases' | 'freeDivisor' | 'trainingOutputs'>>;

/** The model whose state, draws and graph are those of the root module, which takes the image. */
export function modelOf(head: Head, root: Module): Model {
  const buffers = buffersOf(root);
  const stateOrder = root.state.map((spec) => ('buffer' in spec ? spec.buffer : spec.parameter).name);
  return {
    ...head,
    parameters: parametersOf(root),
    ...(buffers.length > 0 && { buffers, stateOrder }),
    draws: root.draws,
    build: (forward) => root.apply(rootPlace(forward), forward.image),
  };
}
