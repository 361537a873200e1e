export type { Capture, CaptureEnding, CaptureFacts } from './files.ts';
export { openCapture, readText, reportUserError, UserError } from './files.ts';
export { createProgram } from './program.ts';
export { allMachines, findMachine, makeMachine } from './qtest/machines.ts';
export type { ExceptedCommand, FileReplay } from './qtest/replay-files.ts';
export { exceptedCommands, replayFile, replayFiles } from './qtest/replay-files.ts';
