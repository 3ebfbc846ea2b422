const refused = ['__proto__', 'constructor', 'prototype'];

/** Whether a feature may have this name: 1 to 200 characters without control characters, and no key of a prototype. */
export function isFeatureName(name: unknown): name is string {
  if (typeof name !== 'string' || name.length < 1 || name.length > 200 || refused.includes(name)) return false;
  return [...name].every((character) => character >= ' ' && character !== '\u007f');
}
