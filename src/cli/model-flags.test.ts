import { describe, expect, it } from 'vitest';
import { addOption, addSpatialLength, parseModelOptions } from './model-flags';

describe('the flags of model options', () => {
  it('take JSON where it can be read, and text otherwise', () => {
    const options = ['initFilters=8', 'blocksDown=[1,2]', 'norm=instance', 'useConvFinal=false'];
    expect(options.reduce<Readonly<Record<string, unknown>>>((all, text) => addOption(text, all), {})).toEqual({
      initFilters: 8,
      blocksDown: [1, 2],
      norm: 'instance',
      useConvFinal: false,
    });
    expect(() => addOption('8', {})).toThrow(/key=value/);
  });

  it('let a single option win over the object', () => {
    expect(parseModelOptions({ options: '{"initFilters": 8, "numGroups": 4}', option: { numGroups: 2 } })).toEqual({
      initFilters: 8,
      numGroups: 2,
    });
    expect(() => parseModelOptions({ options: '[1]' })).toThrow(/JSON object/);
  });

  it('take whole numbers as lengths', () => {
    expect(addSpatialLength('64', [32])).toEqual([32, 64]);
    expect(() => addSpatialLength('6.5', [])).toThrow(/whole number/);
  });
});
