/**
 * Where the values of a site come from.
 *
 * @module
 */

/** Some values of one feature. A source may give a feature in any number of pieces. */
export interface FeatureValues {
  /** Name of the feature: 1 to 200 characters. */
  readonly feature: string;
  /** Numbers; what is not finite counts as missing. */
  readonly values: ArrayLike<number>;
  /** Cases (patients, volumes) that these values are from; what the minimum count counts. @default one for each value */
  readonly cases?: number;
}

export interface FeatureSource {
  /** All values of the site. Called once for each question of the server, and must give the same values each time. */
  features(): Iterable<FeatureValues> | AsyncIterable<FeatureValues>;
}
