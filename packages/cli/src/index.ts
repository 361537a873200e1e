export type { Capture, CaptureEnding, CaptureFacts } from './files.ts';
export { openCapture, readText, reportUserError, UserError } from './files.ts';
export { createProgram } from './program.ts';
