/**
 * Knowledge distillation.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import { exp, logSoftmax } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import { sizeOf } from '../../tensor/tensor';
import { requireSameShape } from './labels';

/**
 * T²·Σ_c p_c·(ln p_c − ln q_c), the mean over samples and voxels, with p = softmax(teacher/T), q = softmax(student/T)
 * (Hinton et al. 2015, arXiv:1503.02531). Nothing is differentiated through the teacher.
 *
 * @param teacher logits of the student's shape `[N, C, ...spatial]`
 * @throws ShapeError unless both have one shape
 */
export function distillationLoss(
  b: Builder,
  student: Value,
  teacher: Value,
  { temperature }: { readonly temperature: number },
): Value {
  requireSameShape('distillation', student, teacher);
  const soft = (logits: Value): Value => logSoftmax(b, b.scale(logits, 1 / temperature));
  const target = soft(b.detach(teacher));
  const divergence = b.reshape(b.sumProduct(exp(b, target), b.sub(target, soft(student))), []);
  const places = sizeOf(student.shape) / student.shape[1]!;
  return b.scale(divergence, temperature ** 2 / places);
}
