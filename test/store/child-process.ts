import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import ts from 'typescript';

const project = path.resolve(import.meta.dirname, '../..');

/**
 * Compiles what `src/store` needs into a directory, so that a plain child process can import it;
 * answers the directory that stands for `src`.
 */
export async function compileStore(directory: string): Promise<string> {
  const out = path.join(directory, 'compiled');
  for (const folder of ['', 'core', 'store']) {
    await mkdir(path.join(out, folder), { recursive: true });
    for (const name of await readdir(path.join(project, 'src', folder))) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
      const source = await readFile(path.join(project, 'src', folder, name), 'utf8');
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
      });
      await writeFile(path.join(out, folder, name.replace(/\.ts$/, '.js')), outputText);
    }
  }
  await writeFile(path.join(out, 'package.json'), '{"type":"module"}');
  await symlink(path.join(project, 'node_modules'), path.join(out, 'node_modules'), 'junction');
  return out;
}

/** A child process that runs a module and talks in lines. */
export class TalkingChild {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exit: Promise<number | NodeJS.Signals | null>;
  #errors = '';

  constructor(file: string, ...args: readonly string[]) {
    this.process = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    if (this.process.stdout === null || this.process.stderr === null) throw new Error('the child has no pipes');
    this.#lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
    this.process.stderr.on('data', (data: Buffer) => (this.#errors += data.toString()));
    this.#exit = new Promise((resolve) => this.process.once('close', (code, signal) => resolve(code ?? signal)));
  }

  /** The next line it prints; throws what it complained about when it ended instead. */
  async line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error(`the child ended without a line: ${this.#errors}`);
    return next.value;
  }

  /** Its exit code, or the signal that ended it. */
  exit(): Promise<number | NodeJS.Signals | null> {
    return this.#exit;
  }

  /** Ends it as `kill -9` does, and waits until it is gone. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.#exit;
  }
}
