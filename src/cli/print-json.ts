/**
 * What `--json` prints: one object on one line of standard output, whatever happens.
 *
 * @module
 */
let printed = false;

/** Prints the object of a command. */
export function printJson(value: object): void {
  printed = true;
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Whether a command has printed its object. */
export function hasPrintedJson(): boolean {
  return printed;
}
