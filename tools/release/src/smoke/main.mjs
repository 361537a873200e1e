import { smoke } from './suite.mjs';

console.log(smoke());
