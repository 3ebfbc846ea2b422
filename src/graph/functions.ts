/**
 * What can be written on a builder beyond its own methods: functions that take it first.
 *
 * @module
 */
export * from './functions/elementwise';
export * from './functions/layout';
export * from './functions/linear';
export * from './functions/reduction';
