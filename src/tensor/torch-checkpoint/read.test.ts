import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DataError } from '../../errors';
import { readZip } from '../../util/zip-read';
import { writeZip } from '../../util/zip-write';
import { float32 } from '../tensor';
import { decodeTorchCheckpoint } from './read';

/** Files of test/golden/make/torch_checkpoints.py. */
function golden(name: string): Uint8Array {
  return readFileSync(join(__dirname, '../../../test/golden/torch', name));
}

/** A checkpoint around a pickle of the test's own. */
function around(pickle: string, storage = new Uint8Array(8)): Uint8Array {
  return writeZip([
    { name: 'x/data.pkl', data: Buffer.from(pickle, 'latin1') },
    { name: 'x/data/0', data: storage },
  ]);
}

/** `{'w': tensor}` over storage '0' of `length` floats; offset, size and stride are pickled as given. */
function oneTensor(length: string, offset: string, size: string, stride: string, type = 'FloatStorage'): Uint8Array {
  const id = `(X\x07\0\0\0storagectorch\n${type}\nX\x01\0\0\x000X\x03\0\0\0cpu${length}tQ`;
  const args = `(${id}${offset}${size}${stride}\x89)t`;
  return around(`\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n${args}Rs.`);
}

const ramp = (...shape: number[]) =>
  float32(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  );

const views = new Map([
  ['base', ramp(4, 6)],
  ['tied', ramp(4, 6)],
  ['row', float32([6], [12, 13, 14, 15, 16, 17])],
  ['column', float32([4], [1, 7, 13, 19])],
  [
    'transposed',
    float32([6, 4], [0, 6, 12, 18, 1, 7, 13, 19, 2, 8, 14, 20, 3, 9, 15, 21, 4, 10, 16, 22, 5, 11, 17, 23]),
  ],
  ['block', float32([2, 3], [8, 9, 10, 14, 15, 16])],
  [
    'permuted',
    float32([4, 2, 3], [0, 4, 8, 12, 16, 20, 1, 5, 9, 13, 17, 21, 2, 6, 10, 14, 18, 22, 3, 7, 11, 15, 19, 23]),
  ],
  ['broadcast', float32([2, 3], [1, 1, 1, 2, 2, 2])],
]);

test.each([
  ['views.pt', undefined],
  ['deflated.pt', undefined],
  ['protocol-3.pt', 'model'],
  ['protocol-4.pt', 'model'],
  ['protocol-5.pt', 'model'],
  ['legacy.pt', 'model'],
])('reads shared, offset, strided and broadcast storages of %s', (name, wrapper) => {
  const read = decodeTorchCheckpoint(golden(name));
  expect([...read.tensors]).toEqual([...views]);
  expect(read.wrapper).toBe(wrapper);
});

test('tied weights come back with memory of their own', () => {
  const { tensors } = decodeTorchCheckpoint(golden('views.pt'));
  expect(tensors.get('base')!.data.buffer).not.toBe(tensors.get('tied')!.data.buffer);
  expect(tensors.get('row')!.data.buffer.byteLength).toBe(24);
});

test('reads every element type and widens the halves to float32', () => {
  const { tensors, widened } = decodeTorchCheckpoint(golden('dtypes.pt'));
  expect(widened).toEqual(['float16', 'bfloat16']);
  for (const name of ['float64', 'float32', 'int64', 'int32', 'int16', 'int8', 'uint8', 'uint16', 'uint32', 'uint64']) {
    expect(tensors.get(name)).toMatchObject({ dtype: name, shape: [2, 3] });
    expect([...tensors.get(name)!.data].map(Number)).toEqual([0, 1, 2, 3, 4, 5]);
  }
  expect(tensors.get('float16')).toEqual(ramp(2, 3));
  expect(tensors.get('bfloat16')).toEqual(ramp(2, 3));
  expect(tensors.get('bool')).toEqual({ dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) });
  expect(tensors.get('scalar')).toEqual(float32([], [7.5]));
  expect(tensors.get('empty')).toEqual(float32([0, 3], []));
  expect(tensors.get('negative')!.data).toEqual(BigInt64Array.of(-1n, -(2n ** 62n)));
});

test('reads a plain state dict with its module versions, in order', () => {
  const { tensors, wrapper } = decodeTorchCheckpoint(golden('state-dict.pt'));
  expect(wrapper).toBeUndefined();
  expect([...tensors.keys()]).toEqual([
    '0.weight',
    '0.bias',
    '1.weight',
    '1.bias',
    '1.running_mean',
    '1.running_var',
    '1.num_batches_tracked',
  ]);
  expect(tensors.get('0.weight')!.shape).toEqual([2, 1, 1, 1, 1]);
});

test('reads parameters', () => {
  expect([...decodeTorchCheckpoint(golden('parameters.pt')).tensors.keys()]).toContain('0.weight');
});

test('finds the weights of a training checkpoint beside optimizer, epoch and other data', () => {
  const { tensors, wrapper, otherKeys } = decodeTorchCheckpoint(golden('training.pt'));
  expect(wrapper).toBe('state_dict');
  expect(otherKeys).toEqual(['optimizer', 'epoch', 'best', 'history', 'big', 'name', 'on']);
  expect(tensors.size).toBe(7);
});

test.each([
  ['monai-saver.pt', 'net', ['opt']],
  ['nnunet.pt', 'network_weights', ['ema']],
  ['other-key.pt', 'weights', ['epoch']],
])('finds the weights of %s under %s', (name, wrapper, otherKeys) => {
  const read = decodeTorchCheckpoint(golden(name));
  expect(read).toMatchObject({ wrapper, otherKeys, ignored: [] });
  expect(read.tensors.size).toBeGreaterThan(0);
});

test.each([
  ['two-keys.pt', '"student" and "teacher"'],
  ['two-known-keys.pt', '"model" and "net"'],
])('refuses %s, naming the state dicts between which it cannot tell', (name, keys) => {
  expect(() => decodeTorchCheckpoint(golden(name))).toThrow(`several state dicts, under ${keys}`);
});

test.each([2, 4, 5])('Python objects beside the weights are left out by name, in protocol %i', (protocol) => {
  const { tensors, otherKeys } = decodeTorchCheckpoint(golden(`company-${protocol}.pt`));
  expect([...tensors]).toEqual([['w', ramp(2)]]);
  expect(otherKeys).toEqual([
    "best_acc (Python object 'numpy._core.multiarray.scalar')",
    `history (Python object 'numpy._core.${protocol === 5 ? 'numeric._frombuffer' : 'multiarray._reconstruct'}')`,
    "args (Python object 'argparse.Namespace')",
    "counts (Python object 'collections.Counter')",
    "when (Python object 'datetime.datetime')",
    "where (Python object 'pathlib.PurePosixPath')",
    'logs',
    "queue (Python object 'collections.deque')",
    "complex (Python object 'torch.ComplexFloatStorage')",
  ]);
});

test.each([2, 4, 5])('reads weights that are plain arrays of NumPy, in protocol %i', (protocol) => {
  const { tensors, ignored, widened } = decodeTorchCheckpoint(golden(`numpy-${protocol}.pt`));
  expect([...tensors.keys()]).toEqual(['float16', 'float32', 'float64', 'int64', 'uint8', 'bool', 'fortran']);
  expect(ignored.map((name) => name.split(' ')[0])).toEqual(['big-endian', 'text', 'objects']);
  expect(widened).toEqual(['float16']);
  for (const name of ['float16', 'float32', 'fortran']) expect(tensors.get(name)).toEqual(ramp(2, 3));
  expect(tensors.get('bool')!.data).toEqual(Uint8Array.of(0, 1, 1, 1, 1, 1));
  expect(tensors.get('int64')!.data).toEqual(BigInt64Array.of(0n, 1n, 2n, 3n, 4n, 5n));
});

test('what a placeholder is called with, appended or set stays data', () => {
  const pickle = '\x80\x02}(X\x01\0\0\0mcos\nsystem\nX\x04\0\0\0exit\x85R)}\x92K\x01aK\x01K\x02sNbu.';
  expect(() => decodeTorchCheckpoint(around(pickle))).toThrow("m (Python object 'os.system')");
});

test.each(['malicious.pt', 'malicious-4.pt'])('%s is refused by the name it asks for, and nothing runs', (name) => {
  expect(() => decodeTorchCheckpoint(golden(name))).toThrow(
    /Python object '(_?io|__builtin__)\.open'.*nothing was run/,
  );
  expect(existsSync('/tmp/consilium-was-here')).toBe(false);
});

test('refuses a pickled module, naming its class', () => {
  expect(() => decodeTorchCheckpoint(golden('whole-module.pt'))).toThrow("'torch.nn.modules.container.Sequential'");
});

test.each([
  ['a missing storage', golden('missing-storage.pt'), /no entry 'views\/data\/0'/],
  ['bytes of something else', new Uint8Array(100), /not a zip archive/],
  ['a zip without data.pkl', writeZip([{ name: 'a', data: new Uint8Array(1) }]), /no data\.pkl/],
  [
    'a TorchScript program',
    writeZip(['x/data.pkl', 'x/constants.pkl'].map((name) => ({ name, data: new Uint8Array(1) }))),
    /TorchScript/,
  ],
  ['a legacy file that is cut off', golden('legacy.pt').subarray(0, 1000), /cut off/],
  ['a pickle that is cut off', around('\x80\x02}'), /cut off/],
  ['an opcode outside the subset', around('\x80\x02\x82\x01.'), /opcode 0x82 is not one/],
  ['protocol 0', around('\x80\x00N.'), /protocol 0/],
  ['a pickle that is no dict', around('\x80\x02].'), /holds no dict/],
  ['a stack that is empty', around('\x80\x02.'), /empty stack/],
  ['a pop below a mark', around('\x80\x02N(0.'), /empty stack/],
  ['a missing mark', around('\x80\x02t.'), /mark is missing/],
  ['a memo entry never stored', around('\x80\x02h\x05.'), /recalls entry 5/],
  ['text longer than the file', around('\x80\x02X\xff\xff\xff\xff.'), /cut off/],
  ['text of 2^63 bytes', around('\x80\x04\x8d\0\0\0\0\0\0\0\x80.'), /cut off/],
  ['an integer of 300 bytes', around(`\x80\x02\x8b\x2c\x01\0\0${'\0'.repeat(300)}.`), /integer of 300 bytes/],
  ['a call of data', around('\x80\x02N)R.'), /calls what is no global/],
  ['a call of a storage class', around('\x80\x02ctorch\nFloatStorage\n)R.'), /the Python object 'torch\.FloatStorage'/],
  ['state set on a tuple', around('\x80\x02)}b.'), /sets the state of an object/],
  ['a persistent id of another kind', around('\x80\x02X\x01\0\0\0aQ.'), /not a storage of torch/],
  ['a tensor beyond its storage', oneTensor('K\x02', 'K\0', 'K\x03\x85', 'K\x01\x85'), /reaches element 2 .* only 2/],
  ['an offset beyond the storage', oneTensor('K\x02', 'K\x02', 'K\x01\x85', 'K\x01\x85'), /reaches element 2/],
  [
    'a storage that is shorter than declared',
    oneTensor('K\x03', 'K\0', 'K\x03\x85', 'K\x01\x85'),
    /shorter than the file declares/,
  ],
  ['a negative size', oneTensor('K\x02', 'K\0', 'J\xff\xff\xff\xff\x85', 'K\x01\x85'), /something other than storage/],
  [
    'a negative stride',
    oneTensor('K\x02', 'K\x01', 'K\x02\x85', 'J\xff\xff\xff\xff\x85'),
    /something other than storage/,
  ],
  [
    'a broadcast to terabytes',
    oneTensor('K\x02', 'K\0', 'J\0\0\0\x7fM\0\xff\x86', 'K\0K\0\x86'),
    /unfold to \d+ bytes/,
  ],
  ['sizes and strides of unlike length', oneTensor('K\x02', 'K\0', 'K\x02\x85', ')'), /unlike size and stride/],
  [
    'a complex tensor',
    oneTensor('K\x01', 'K\0', 'K\x01\x85', 'K\x01\x85', 'ComplexFloatStorage'),
    /its keys are w \(Python object 'torch\.ComplexFloatStorage'\)/,
  ],
] as const)('refuses %s', (_, bytes, message) => {
  expect(() => decodeTorchCheckpoint(bytes)).toThrow(message);
  expect(() => decodeTorchCheckpoint(bytes)).toThrow(DataError);
});

test('reads the tensor that the refused ones are variations of', () => {
  expect(decodeTorchCheckpoint(oneTensor('K\x02', 'K\0', 'K\x02\x85', 'K\x01\x85')).tensors.get('w')).toEqual(
    float32([2], [0, 0]),
  );
});

test('a mutated pickle gives tensors or a DataError, nothing else', () => {
  const zip = readZip(golden('training.pt'));
  const entries = zip.names.map((name) => ({ name, data: zip.read(name) }));
  const pickle = entries.find(({ name }) => name.endsWith('data.pkl'))!.data;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(pickle.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      (changes) => {
        const mutated = pickle.slice();
        for (const [at, value] of changes) mutated[at] = value;
        try {
          decodeTorchCheckpoint(writeZip(entries.map((e) => (e.data === pickle ? { ...e, data: mutated } : e))));
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      },
    ),
    { numRuns: 1000 },
  );
});
