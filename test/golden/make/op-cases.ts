/** Prints the operators' example cases as JSON: what ops.py computes in PyTorch. */
import { opCases } from '../../support/op-cases';

const cases = Object.entries(opCases).flatMap(([op, examples]) => examples.map((example) => ({ op, ...example })));
process.stdout.write(JSON.stringify(cases));
