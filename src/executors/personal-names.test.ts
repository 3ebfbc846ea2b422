import { expect, it } from 'vitest';
import { createModel } from '../nn/model';
import { stateTensors } from '../nn/model-state';
import { personalNames } from './personal-names';

const loose = { kind: 'tensors', tensors: {}, start: 'zeros' } as const;
const names = ['inc.conv', 'inc.norm', 'down.norm', 'up.conv'];

const unet = (norm: string) => ({ kind: 'translation-unet', baseChannels: 4, norm, numGroups: 2 }) as never;
const namesOf = (model: never) => stateTensors(createModel(model)).map(({ name }) => name);

it('finds tensors by parts of their names, and all others than those', () => {
  expect([...personalNames({ names: ['norm'] }, loose, names)]).toEqual(['inc.norm', 'down.norm']);
  expect([...personalNames({ allBut: ['inc', 'down'] }, loose, names)]).toEqual(['up.conv']);
});

it.each(['batch', 'group'])('knows the normalisation layers of a network with %s normalisation', (norm) => {
  const model = unet(norm);
  const all = namesOf(model);
  // The U-Net calls these layers so, and nothing else.
  const expected = all.filter((name) => name.includes('norm'));
  expect(expected.length).toBeGreaterThan(0);
  expect([...personalNames('normalisation', model, all)].sort()).toEqual([...expected].sort());
});

it('knows them where their names do not tell', () => {
  const model = { kind: 'basic-unet', inChannels: 1, outChannels: 1, spatialDims: 2, norm: 'batch' } as never;
  const found = personalNames('normalisation', model, namesOf(model));
  expect([...found].every((name) => /\.adn\.N\./.test(name))).toBe(true);
  expect(found.size).toBe(namesOf(model).filter((name) => /\.adn\.N\./.test(name)).length);
});

it.each<[string, Parameters<typeof personalNames>, RegExp]>([
  ['a part that fits nothing', [{ names: ['norm', 'nrom'] }, loose, names], /no tensor of the model has 'nrom'/],
  ['a model that is personal as a whole', [{ names: ['o'] }, loose, ['conv', 'norm']], /Every tensor of the model/],
  ['nothing personal', [{ allBut: ['n'] }, loose, ['conv', 'norm']], /No tensor of the model/],
  ['tensors that do not say what they are', ['normalisation', loose, names], /kind 'tensors' does not say/],
  ['a network without such layers', ['normalisation', unet('none'), namesOf(unet('none'))], /no normalisation layer/],
])('refuses %s', (_, call, message) => {
  expect(() => personalNames(...call)).toThrow(message);
});
