import { conformance } from './support/conformance.ts';
import { SUBJECTS } from './support/subjects.ts';

for (const subject of SUBJECTS) conformance(subject);
