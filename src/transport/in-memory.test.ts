import { testSites } from '../../test/conformance/sites';
import { inMemorySites } from './in-memory';

testSites('in-memory', (links) => inMemorySites(links));
