/** A folder that is gone when its block ends: `using folder = tempDir();` */
export interface TempDir extends Disposable {
  readonly path: string;
}

export function tempDir(): TempDir {
  const path = Deno.makeTempDirSync({ prefix: "grid-test-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}
