/**
 * Makes modules of a README's ts blocks, so that they are type-checked and run: one per `##` section, whose blocks share a
 * scope. `expression; // => value` becomes an expectation; what follows `@ts-expect-error` is only type-checked.
 */
export interface ReadmeModule {
  /** File name: the section's heading in kebab-case. */
  readonly name: string;
  readonly source: string;
}

/** The modules of a README, in order. */
export function readmeModules(markdown: string): ReadmeModule[] {
  const modules: ReadmeModule[] = [];
  for (const section of markdown.split(/^## /m).slice(1)) {
    const heading = section.slice(0, section.indexOf('\n'));
    const blocks = [...section.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!);
    if (blocks.length === 0) continue;
    const name = heading
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '');
    modules.push({ name: `${name}.ts`, source: moduleOf(heading, blocks) });
  }
  return modules;
}

function moduleOf(heading: string, blocks: readonly string[]): string {
  const lines = blocks.join('\n').split('\n');
  const body = lines.map((line, index) => {
    const [, indent, expression, value] = /^(\s*)(.+); \/\/ => (.+)$/.exec(line) ?? [];
    if (value !== undefined) return `${indent}expect(${expression}).toEqual(${value});`;
    const [, unused] = /^const (\w+) = \(\) =>/.exec(line) ?? [];
    return unused !== undefined && lines[index - 1]?.includes('@ts-expect-error') ? `${line}\nvoid ${unused};` : line;
  });
  const imports = body.some((line) => line.includes('expect(')) ? "import { expect } from 'vitest';\n" : '';
  return `// Made from README.md, section "${heading}", by test/readme.test.ts. Do not edit.\n${imports}${body.join('\n')}`;
}
