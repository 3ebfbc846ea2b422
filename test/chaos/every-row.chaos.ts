/** All rows of the chaos matrix: `npm run test:chaos`, or some: `npm run test:chaos -- -t C-23`. */
import { playAll } from './play-all';

playAll(() => true);
