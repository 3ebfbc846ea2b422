/** Normalisations of activations `[N, C, ...spatial]`. */
export interface NormOps {
  /**
   * Group normalisation (Wu & He 2018, arXiv:1803.08494). (x [N,C,...], γ [C], β [C]) → y, and the mean and
   * 1/√(biased variance + ε) of each sample's groups, both [N,groups], which only GroupNormGrad may use.
   */
  GroupNorm: { readonly groups: number; readonly epsilon: number };
  /** (dy, x, γ, mean, rstd) → dx, dγ, dβ. */
  GroupNormGrad: { readonly groups: number };
  /**
   * Batch normalisation by the statistics of the batch (Ioffe & Szegedy 2015, arXiv:1502.03167). (x [N,C,...], γ [C],
   * β [C]) → y, and the mean and biased variance of each channel over samples and positions, both [C]: no gradient goes
   * through those two.
   */
  BatchNorm: { readonly epsilon: number };
  /** (dy, x, γ, mean, variance) → dx, dγ, dβ. */
  BatchNormGrad: { readonly epsilon: number };
}
