import { describe, expect, it } from 'vitest';
import { QmpServer } from '../src/index.ts';
import { pcBoard } from './support/pc-board.ts';

/** A negotiated monitor of a Q35. `ask` gives the objects that a request brings, `human` the text of a command line. */
function monitor(stopped = false) {
  let text = '';
  const server = new QmpServer(
    pcBoard('q35').machine,
    (lines) => {
      text += lines;
    },
    { stopped },
  );
  const ask = (execute: string, args?: object) => {
    text = '';
    server.feed(JSON.stringify({ execute, arguments: args }));
    return text
      .trimEnd()
      .split('\r\n')
      .map((line) => JSON.parse(line));
  };
  server.connected();
  ask('qmp_capabilities');
  const human = (line: unknown): string => ask('human-monitor-command', { 'command-line': line })[0].return;
  return { ask, human };
}

describe('info mtree on the monitor', () => {
  const { ask, human } = monitor();

  it.each([
    ['-f -f', 'unsupported option -f'],
    ['-d -f', 'unsupported option -f'],
    ['-x', 'unsupported option -x'],
    ['--', 'unsupported option --'],
    ['-D -f', 'extraneous characters at the end of line'],
    ['-D -o', 'extraneous characters at the end of line'],
    ['-fD', 'extraneous characters at the end of line'],
    ['-f-D foo', 'extraneous characters at the end of line'],
    ['foo', 'extraneous characters at the end of line'],
  ])('T-180: takes options in the order f, d, o, D and refuses %s', (options, reason) => {
    expect(human(`info mtree ${options}`)).toBe(`mtree: ${reason}\r\nTry "help info mtree" for more information\r\n`);
  });

  it('T-180: -D acts without -f only, and -d with it only', () => {
    expect(human('info mtree -f -D')).toBe(human('info mtree -f'));
    expect(human('  info\tmtree  -d ')).toBe(human('info mtree'));
    expect(human('info mtree -D')).toContain('[disabled]\r\n');
  });

  it('T-171, T-210: -f -d tells the sections of a page that two regions share, as QEMU 7.2 does', () => {
    const text = human('info mtree -f -d');
    expect(text).toContain('    Nodes (9 bits per level, 6 levels) ptr=[');
    expect(text).toMatch(
      /#\d+ @00000000fed00000\.\.00000000fed00fff \(noname\)\r\n +#\d+ @00000000fed00000\.\.00000000fed003ff hpet\r\n/,
    );
  });

  it('says of another command what QEMU says, and nothing of none', () => {
    const lines = ['INFO mtree', 'info nosuch foo', 'info mtree;info mtree', ' '].map(human);
    expect(lines).toEqual([
      "unknown command: 'INFO'\r\n",
      "unknown command: 'info nosuch'\r\n",
      "unknown command: 'info mtree;info'\r\n",
      '',
    ]);
    const error = (args: object): string => ask('human-monitor-command', args)[0].error.desc;
    expect(error({})).toBe("Parameter 'command-line' is missing");
    expect(error({ 'command-line': 5 })).toBe("Invalid parameter type for 'command-line', expected: string");
  });
});

describe('the state of the machine on the monitor', () => {
  const states = (ask: ReturnType<typeof monitor>['ask'], ...commands: string[]): string[] =>
    commands.map((command) => {
      ask(command);
      return ask('query-status')[0].return.status;
    });

  it('Q-94: started with -S it is "prelaunch" until `cont`, and after a reset while paused', () => {
    const { ask } = monitor(true);
    expect(states(ask, 'stop', 'cont', 'stop', 'system_reset', 'cont', 'system_reset')).toEqual([
      'prelaunch',
      'running',
      'paused',
      'prelaunch',
      'running',
      'running',
    ]);
  });

  it('Q-94: STOP and RESUME tell a change, RESET its reason', () => {
    const { ask } = monitor();
    const events = ['cont', 'stop', 'stop', 'cont', 'system_reset'].map((command) =>
      ask(command).flatMap(({ event, data }) => (event === undefined ? [] : [event, data])),
    );
    const reason = { guest: false, reason: 'host-qmp-system-reset' };
    expect(events).toEqual([[], ['STOP', undefined], [], ['RESUME', undefined], ['RESET', reason]]);
  });
});

describe('the form of a request', () => {
  /** What `requests` bring, on a monitor whose `quit` is counted. */
  function said(requests: readonly string[], negotiated = true) {
    const lines: string[] = [];
    let quit = 0;
    const server = new QmpServer(pcBoard('q35').machine, (text) => lines.push(...text.trimEnd().split('\r\n')), {
      quit: () => quit++,
    });
    server.connected();
    if (negotiated) server.feed('{"execute": "qmp_capabilities"}');
    lines.length = 0;
    for (const request of requests) server.feed(request);
    return { lines: lines.map((line) => JSON.parse(line)), quit };
  }

  it.each([
    ['[1, 2]', 'QMP input must be a JSON object'],
    ['{}', "QMP input lacks member 'execute'"],
    ['{"arguments": {}}', "QMP input lacks member 'execute'"],
    ['{"execute": 5}', "QMP input member 'execute' must be a string"],
    ['{"exec": "quit"}', "QMP input member 'exec' is unexpected"],
    ['{"execute": "quit", "foo": 1}', "QMP input member 'foo' is unexpected"],
    ['{"foo": 1, "execute": "nosuch"}', "QMP input member 'foo' is unexpected"],
    ['{"exec-oob": "quit"}', "QMP input member 'exec-oob' is unexpected"],
    ['{"execute": "quit", "arguments": 5}', "QMP input member 'arguments' must be an object"],
    ['{"execute": "quit", "arguments": []}', "QMP input member 'arguments' must be an object"],
    ['{"execute": "quit", "arguments": null}', "QMP input member 'arguments' must be an object"],
    ['{"execute": "quit", "arguments": {"x": 1}}', "Parameter 'x' is unexpected"],
  ])('Q-94: %s is refused as QEMU 7.2 does, and not carried out', (request, desc) => {
    expect(said([request])).toEqual({ lines: [{ error: { class: 'GenericError', desc } }], quit: 0 });
  });

  it('Q-94: an error names the request by its id, and no negotiation is asked for where the form is wrong', () => {
    const error = { class: 'GenericError', desc: "QMP input member 'foo' is unexpected" };
    expect(said(['{"execute": "quit", "id": [7], "foo": 1}'], false).lines).toEqual([{ id: [7], error }]);
  });

  it('Q-94: every client is greeted and must negotiate; the half request of the one before is forgotten', () => {
    const lines: string[] = [];
    const server = new QmpServer(pcBoard('q35').machine, (text) => lines.push(text));
    for (let client = 0; client < 2; client++) {
      server.connected();
      server.feed('{"execute": "query-status"}{"execute": "qmp_capabilities"}{"execute": "query-status"}{"exec');
    }
    const desc = "Expecting capabilities negotiation with 'qmp_capabilities'";
    const one = [
      { QMP: { version: expect.objectContaining({ qemu: { micro: 22, minor: 2, major: 7 } }), capabilities: ['oob'] } },
      { error: { class: 'CommandNotFound', desc } },
      { return: {} },
      { return: { running: true, singlestep: false, status: 'running' } },
    ];
    expect(lines.every((line) => line.endsWith('}\r\n'))).toBe(true);
    expect(lines.map((line) => JSON.parse(line))).toEqual([...one, ...one]);
  });

  it('Q-94: `quit` is answered, then carried out', () => {
    const { lines, quit } = said(['{"execute": "quit"}']);
    expect([lines[0], quit]).toEqual([{ return: {} }, 1]);
  });

  it.each([
    ['what is no object', 'x'],
    ['an object without end', `{${' '.repeat(65_536)}`],
  ])('Q-94: %s is refused, and the next request is read', (_, text) => {
    const error = { class: 'GenericError', desc: 'JSON parse error, expecting an object' };
    const { lines } = said([text, '{"execute": "query-status"}']);
    expect(lines).toEqual([{ error }, { return: expect.objectContaining({ status: 'running' }) }]);
  });

  it('Q-94: `qmp_capabilities` takes what a client enables', () => {
    const { lines } = said(['{"execute": "qmp_capabilities", "arguments": {"enable": ["oob"]}}'], false);
    expect(lines).toEqual([{ return: {} }]);
  });

  it.each([
    ['escaped', String.raw`"\u20ac \u00e9 \ud83d\ude00 % \u007f"`],
    ['in UTF-8', '"\u00e2\u0082\u00ac \u00c3\u00a9 \u00f0\u009f\u0098\u0080 % \u007f"'],
  ])('Q-94: an id %s comes back in ASCII', (_, id) => {
    let text = '';
    const server = new QmpServer(pcBoard('q35').machine, (lines) => {
      text = lines;
    });
    server.connected();
    server.feed(`{"execute": "qmp_capabilities", "id": ${id}}`);
    expect(text).toBe(`${String.raw`{"return":{},"id":"\u20AC \u00E9 \uD83D\uDE00 % \u007F"}`}\r\n`);
  });

  it('Q-94: braces and quotes in a string do not end the request', () => {
    const id = String.raw`"}{]\\\"}"`;
    expect(said([`{"execute": "query-version", "id": ${id}}`, '{"execute": "quit"}'])).toMatchObject({
      lines: [{ id: JSON.parse(id) }, { return: {} }],
      quit: 1,
    });
  });

  it('Q-94: what is no UTF-8 is refused', () => {
    const error = { class: 'GenericError', desc: 'JSON parse error, invalid UTF-8 sequence in string' };
    expect(said(['{"execute": "query-status", "id": "\u00ff"}']).lines).toEqual([{ error }]);
  });
});
