/** No attributes. */
export type None = Readonly<Record<never, never>>;
