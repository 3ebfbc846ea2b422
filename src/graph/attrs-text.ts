/** An attribute as text: JSON, but with the numbers that JSON cannot tell apart. Equal texts mean equal attributes. */
export function textOf(attribute: unknown): string {
  const text = JSON.stringify(attribute, (_, value: unknown) => {
    if (typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0))) return value;
    return `number ${Object.is(value, -0) ? '-0' : value}`;
  });
  return text.replace(/"number ([^"]*)"/g, '$1');
}
