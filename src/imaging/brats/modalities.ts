/** The images of a BraTS case, in the order of its data list. */
export const MODALITIES = ['T1ce', 'T1', 'T2', 'FLAIR'] as const;
