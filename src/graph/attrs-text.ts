/** An attribute as text: JSON, but with the numbers that JSON cannot tell apart. Equal texts mean equal attributes. */
export function textOf(attribute: unknown): string {
  return JSON.stringify(attribute, (_, value: unknown) => {
    const special = typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0));
    return special ? `number ${Object.is(value, -0) ? '-0' : value}` : value;
  });
}
