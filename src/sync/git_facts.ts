/** What a folder's git repository says of it. Read from its files: starting git costs more than a sync. */
import { dirname, join, resolve } from "node:path";

/** The commit that is checked out; undefined where there is no repository, or none yet. */
export function commitOf(folder: string): string | undefined {
  const repository = findRepository(folder);
  if (repository === undefined) return undefined;
  const { own, shared } = repository;
  let head = read(join(own, "HEAD"))?.trim();
  // A name may lead to a name; nobody makes long chains of them.
  for (let hops = 0; hops < 5 && head !== undefined; hops++) {
    const name = /^ref: (\S+)$/.exec(head)?.[1];
    if (name === undefined) break;
    head = (read(join(own, name)) ?? read(join(shared, name)))?.trim() ?? packed(shared, name);
  }
  return head !== undefined && /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(head) ? head : undefined;
}

/** Address that `origin` is fetched from, without name and password. */
export function remoteOf(folder: string): string | undefined {
  const repository = findRepository(folder);
  const config = repository && read(join(repository.shared, "config"));
  const section = config?.split(/^\s*\[/m).find((text) => /^remote\s+"origin"\s*\]/.test(text));
  const url = section && /^\s*url\s*=\s*(.+?)\s*$/m.exec(section)?.[1];
  return url?.replace(/^([a-z+]+:\/\/)[^/@]*@/, "$1").replace(/(\.git)?\/?$/, "");
}

/** The folder that holds the repository of `folder`; undefined where there is none. */
export function topOf(folder: string): string | undefined {
  return findRepository(folder)?.top;
}

interface Repository {
  readonly top: string;
  /** Of this work tree. */
  readonly own: string;
  /** Of all work trees. */
  readonly shared: string;
}

function findRepository(folder: string): Repository | undefined {
  for (let at = resolve(folder);; at = dirname(at)) {
    const git = join(at, ".git");
    if (read(join(git, "HEAD")) !== undefined) return { top: at, own: git, shared: git };
    // A work tree or a submodule: a file says where.
    const link = /^gitdir: (.+)$/m.exec(read(git) ?? "")?.[1];
    if (link !== undefined) {
      const own = resolve(at, link.trim());
      return { top: at, own, shared: resolve(own, read(join(own, "commondir"))?.trim() ?? ".") };
    }
    if (dirname(at) === at) return undefined;
  }
}

function packed(shared: string, name: string): string | undefined {
  const line = read(join(shared, "packed-refs"))?.split("\n").find((it) => it.endsWith(` ${name}`));
  return line?.split(" ")[0];
}

function read(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}
