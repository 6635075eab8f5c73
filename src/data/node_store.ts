/** The conversation with the store of one node about one data set: `data_store.sh` is its other end. */
import { GridError } from "../core/errors.ts";
import { randomWord } from "../core/ids.ts";
import { formatSize } from "../core/size.ts";
import { Conversation } from "../sync/conversation.ts";
import type { SyncTarget } from "../sync/sync.ts";
import { folderLock } from "../sync/folder_lock.ts";
import { nodePrelude, nodeProgram } from "../transport/node_program.ts";
import type { DataSet } from "./source.ts";

/** Whole, begun, or not there; a set that somebody changed is proved again under the lock. */
export type SetState = "whole" | "changed" | "part" | "none";

export interface StoreOptions {
  readonly target: SyncTarget;
  readonly set: Pick<DataSet, "digest" | "manifest" | "bytes">;
  /** Who holds the lock, for those that wait. */
  readonly owner: string;
  readonly signal: AbortSignal;
}

export interface UseNote {
  /** Word for the project. */
  readonly project: string;
  /** Its folder here. */
  readonly folder: string;
  /** Name of the set. */
  readonly name: string;
  /** Where it came from: a folder or file on the machine of whoever brought it. */
  readonly source: string;
  /** One line: files, bytes, when it was made there. */
  readonly facts: string;
}

/** What a node offers to others. */
export interface Door {
  readonly hosts: readonly string[];
  readonly port: number;
}

const MOST_SIZES = 256 * 2 ** 20;
const encoder = new TextEncoder();

export class NodeStore implements AsyncDisposable {
  readonly #talk: Conversation;
  readonly #options: StoreOptions;
  state: SetState;

  private constructor(talk: Conversation, options: StoreOptions, state: SetState) {
    this.#talk = talk;
    this.#options = options;
    this.state = state;
  }

  /** @throws {GridError} a transport code, `missing-tool`, `workspace` */
  static async open(options: StoreOptions): Promise<NodeStore> {
    const { target, set, owner, signal } = options;
    const talk = await Conversation.start(target.transport, {
      script: [nodePrelude(), folderLock(), nodeProgram("data_store.sh", import.meta.url)].join(
        "\n",
      ),
      words: [target.root, set.digest, owner, randomWord(12)],
      signal,
    });
    try {
      const store = new NodeStore(talk, options, "none");
      store.state = stateIn(await store.#answer("state"));
      return store;
    } catch (error) {
      await talk[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Waits for others that bring the same set; then it is whole, or ours to bring. */
  async lock(): Promise<SetState> {
    do {
      await this.#say("lock");
      this.state = stateIn(await this.#answer("state"));
    } while (this.state === "changed");
    return this.state;
  }

  /** Tells what the set holds; gives the sizes of what arrived before, by path. */
  async begin(): Promise<ReadonlyMap<string, number>> {
    const bytes = encoder.encode(this.#options.set.manifest);
    await this.#say(`manifest ${bytes.length}`);
    await this.#talk.write(bytes);
    return await this.sizes({ isAsked: true });
  }

  async sizes({ isAsked = false } = {}): Promise<ReadonlyMap<string, number>> {
    if (!isAsked) await this.#say("sizes");
    const [count = "", free = ""] = (await this.#answer("sizes")).split(" ");
    const what = { bytes: MOST_SIZES, what: "names of files" };
    const text = new TextDecoder().decode(await this.#talk.bytes(Number(count), what));
    const sizes = new Map(
      text.split("\n").flatMap((line): [string, number][] => {
        const match = /^(\d{1,16}) \.\/(.+)$/s.exec(line);
        return match ? [[match[2] ?? "", Number(match[1])]] : [];
      }),
    );
    this.#refuseWithoutSpace(sizes, free);
    return sizes;
  }

  /** More of a large file, where it ended. */
  async piece(path: string, bytes: Uint8Array): Promise<void> {
    await this.#say(`piece ${bytes.length}\n${path}`);
    await this.#talk.write(bytes);
  }

  /** An archive of small files. */
  async tar(bytes: Uint8Array): Promise<void> {
    await this.#say(`tar ${bytes.length}`);
    await this.#talk.write(bytes);
  }

  /** Waits until all that was sent was taken. @throws {GridError} what went wrong with it */
  async settle(): Promise<void> {
    await this.#say("ask");
    await this.#answer("ok");
  }

  /** Proves all of it and puts it in its place; else what was not right is gone from what arrived. */
  async finish(): Promise<"whole" | "wrong"> {
    await this.#say("finish");
    const line = await this.#line();
    if (line === "whole") return this.state = "whole";
    const wrong = /^wrong (\S+)$/.exec(line)?.[1];
    if (wrong === undefined) throw this.#failure(line);
    // Not a file of it: then nothing of it is worth keeping.
    if (!/^\d+$/.test(wrong)) await this.discard();
    return "wrong";
  }

  async discard(): Promise<void> {
    await this.#say("discard");
    await this.#answer("ok");
  }

  /** Gives the folder of the set, absolute. */
  async use({ project, folder, name, source, facts }: UseNote): Promise<string> {
    const lines = [folder, name, source, facts].map((text) => text.replaceAll(/[\p{Cc}]/gu, "?"));
    await this.#say(`use ${project}\n${lines.join("\n")}`);
    return await this.#answer("used");
  }

  /** Opens a port for those who prove with these certificates who they are; until this is disposed. */
  async serve(settings: unknown): Promise<Door | undefined> {
    await this.#peer("serve", settings);
    const line = await this.#line();
    const told = /^serving (\{.{1,4096}\})$/.exec(line)?.[1];
    if (told === undefined) return undefined;
    const { port, hosts } = readDoor(told);
    return port === undefined ? undefined : { port, hosts };
  }

  /** Has the node get what is missing from another. @throws {GridError} `lost` where it cannot */
  async pull(settings: unknown, moved: (bytes: number) => void): Promise<string | undefined> {
    await this.#peer("pull", settings);
    for (let line = await this.#line();; line = await this.#line()) {
      const bytes = /^moved (\d{1,16})$/.exec(line)?.[1];
      if (bytes !== undefined) moved(Number(bytes));
      else if (line === "pulled") {
        await this.#line(); // The shell's own word that the program is over.
        return undefined;
      } else {
        const why = /^unreached (.{0,300})$/.exec(line)?.[1];
        if (why === undefined) throw this.#failure(line);
        if (!why.startsWith("python3 is not")) await this.#line();
        return why;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#talk[Symbol.asyncDispose]();
  }

  async #peer(how: "serve" | "pull", settings: unknown): Promise<void> {
    const program = encoder.encode(nodeProgram("data_peer.py", import.meta.url));
    const words = encoder.encode(`${JSON.stringify(settings)}\n`);
    await this.#say(`${how} ${program.length} ${words.length}`);
    await this.#talk.write(program);
    await this.#talk.write(words);
  }

  async #say(words: string): Promise<void> {
    await this.#talk.write(encoder.encode(`${words}\n`));
  }

  /** The rest of a line that begins with the word. */
  async #answer(word: string): Promise<string> {
    const line = await this.#line();
    if (line === word) return "";
    if (!line.startsWith(`${word} `)) throw this.#failure(line);
    return line.slice(word.length + 1);
  }

  async #line(): Promise<string> {
    const line = await this.#talk.line();
    if (!line.startsWith("failed ")) return line;
    const why = (await this.#talk.rest()).trim().split("\n").at(-1) ?? "";
    throw this.#failure(line, why);
  }

  #failure(line: string, why = ""): GridError {
    const { node } = this.#options.target;
    const said = why.replaceAll(/\p{Cc}/gu, "?").slice(0, 500);
    if (line === "failed tool") {
      return new GridError({
        code: "missing-tool",
        message: `Cannot keep data on "${node}": there is no ${said}`,
        hint: "Install it on the node",
        node,
      });
    }
    const what = line === "failed locked"
      ? `another run took its place: ${said}`
      : said === ""
      ? `it said "${line.slice(0, 100)}"`
      : said;
    return new GridError({
      code: line === "failed workspace" ? "workspace" : "sync",
      message: `Cannot keep data on "${node}": ${what}`,
      hint: /no space|quota/i.test(said)
        ? "free some space there, for example: grid data remove NAME"
        : "What arrived is kept; try again",
      node,
    });
  }

  #refuseWithoutSpace(sizes: ReadonlyMap<string, number>, freeKb: string): void {
    if (!/^\d{1,15}$/.test(freeKb)) return;
    const { set: { bytes }, target: { node } } = this.#options;
    const there = sizes.values().reduce((sum, size) => sum + size, 0);
    const missing = Math.max(0, bytes - there);
    const free = Number(freeKb) * 1024;
    if (missing <= free) return;
    throw new GridError({
      code: "sync",
      message: `Cannot keep data on "${node}": it needs ${formatSize(missing)}, and ` +
        `${formatSize(free)} are free`,
      hint: "Free some space there; what is kept and not used: grid data",
      node,
    });
  }
}

function stateIn(text: string): SetState {
  if (text === "whole" || text === "changed" || text === "part" || text === "none") return text;
  throw new GridError({
    code: "answer-invalid",
    message: `Cannot keep data: a node told of a state that there is not: ${text.slice(0, 50)}`,
  });
}

/** Addresses are only dialled, and who answers there must prove who it is. */
function readDoor(text: string): { hosts: readonly string[]; port: number | undefined } {
  let told: { hosts?: unknown; port?: unknown };
  try {
    told = JSON.parse(text);
  } catch {
    return { hosts: [], port: undefined };
  }
  const { hosts, port } = told;
  const isPort = Number.isInteger(port) && Number(port) > 0 && Number(port) < 65536;
  const all = Array.isArray(hosts) ? hosts : [];
  return {
    hosts: all.filter((host): host is string => typeof host === "string" && ADDRESS.test(host))
      .slice(0, 8),
    port: isPort ? Number(port) : undefined,
  };
}

const ADDRESS = /^[0-9A-Za-z.:%_-]{1,100}$/;
