/** A folder that is gone when its block ends: `using folder = tempDir();` */
export interface TempDir extends Disposable {
  readonly path: string;
}

export function tempDir(): TempDir {
  const path = Deno.makeTempDirSync({ prefix: "grid-test-" });
  return { path, [Symbol.dispose]: () => removeFolder(path) };
}

/** A process that a test ended a moment ago may still write its last words into the folder. */
export function removeFolder(path: string): void {
  for (let triesLeft = 50;; triesLeft--) {
    try {
      return Deno.removeSync(path, { recursive: true });
    } catch (error) {
      const isRefilled = error instanceof Deno.errors.PermissionDenied ||
        (error instanceof Error && error.message.includes("Directory not empty"));
      if (!isRefilled || triesLeft === 0) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}
