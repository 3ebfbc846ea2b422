/** The YAML library. Loaded with the first job file: importing Consilium stays quick. */
export function yaml(): typeof import('yaml') {
  return require('yaml');
}
