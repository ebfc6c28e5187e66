import { readFileSync, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import vm from 'node:vm';
import { crc32 } from 'node:zlib';

/** Checksums of the source and of the code, little-endian. */
const HEAD_BYTES = 8;

/**
 * Loads CommonJS files, each with the code that V8 made of it at the build (`FILE.code`, see `node:vm`, cachedData): a quarter of a short command's time.
 * V8 refuses what another version of it made, but it looks neither into the source nor into the code: that is done here. A file
 * without such code, or with another's, is compiled as always.
 */
export class CompiledCode {
  private readonly modules = new Map<string, { exports: unknown }>();
  private readonly scripts = new Map<string, vm.Script>();

  /** What the file exports; it runs once. @param path absolute */
  load(path: string): unknown {
    const known = this.modules.get(path);
    if (known !== undefined) return known.exports;
    const module = { exports: {} as unknown };
    this.modules.set(path, module);
    const folder = dirname(path);
    const require = (id: string) => (id.startsWith('.') ? this.load(join(folder, id)) : fromElsewhere(id));
    const body = this.compiled(path).runInThisContext();
    body.call(module.exports, module.exports, require, module, path, folder);
    return module.exports;
  }

  private compiled(path: string): vm.Script {
    const source = readFileSync(path);
    const cachedData = codeOf(path, source);
    const script = new vm.Script(Module.wrap(source.toString('utf8')), {
      filename: path,
      ...(cachedData && { cachedData }),
    });
    this.scripts.set(path, script);
    return script;
  }

  /** Writes beside each file that was loaded what V8 has made of it by now: the functions that ran, too. A step of the build. */
  keep(): void {
    for (const [path, script] of this.scripts) {
      const code = script.createCachedData();
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeUInt32LE(crc32(readFileSync(path)), 0);
      head.writeUInt32LE(crc32(code), 4);
      writeFileSync(`${path}.code`, Buffer.concat([head, code]));
    }
  }
}

/** Parts of node, and packages. */
const fromElsewhere = createRequire(import.meta.filename);

/** The code of exactly this source, as it was written. */
function codeOf(path: string, source: Buffer): Buffer | undefined {
  const file = readIfThere(`${path}.code`);
  if (file === undefined || file.length < HEAD_BYTES) return undefined;
  const code = file.subarray(HEAD_BYTES);
  return file.readUInt32LE(0) === crc32(source) && file.readUInt32LE(4) === crc32(code) ? code : undefined;
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
