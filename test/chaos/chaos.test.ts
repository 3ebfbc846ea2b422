/** The rows of the chaos matrix that find the most; all of them: `npm run test:chaos`. */
import { playAll } from './play-all';

playAll((row) => row.often === true);
