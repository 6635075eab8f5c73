/** What a runner reads from its own standard input becomes that of a job, over links that may break. */
import { raceAbort } from "../../core/deadline.ts";
import { GridError } from "../../core/errors.ts";
import { randomWord } from "../../core/ids.ts";
import { quote } from "../../core/shell.ts";
import { ByteReader } from "../byte_reader.ts";
import { nodePrelude, programOverStdin } from "../node_program.ts";
import type { Channel, Transport } from "../transport.ts";
import { type InputSource, InputSupply } from "./input_supply.ts";
import { InputWay } from "./input_way.ts";
import type { JobLink } from "./job_link.ts";
import { jobProgram } from "./job_script.ts";

/** Bytes of one piece: as many as there are, so that small ones go at once and large ones cost little. */
const PIECE_BYTES = 2 ** 20;
const MOST_LINE_BYTES = 64 * 1024;
/** What start-up files print before the program speaks. */
const MOST_GREETING_LINES = 10_000;
/** How far the command is: at the beginning of a turn, and whether a piece may be of any size; then again and again. */
const PLACE = /^(?<first>at )?(?<at>\d{1,15})(?<any> any)?$/;
const encoder = new TextEncoder();

type Send = (bytes: Uint8Array, options?: { readonly isFlushed?: boolean }) => Promise<void>;

/** Where the command is when a turn begins. */
interface Beginning {
  readonly at: number;
  /** A piece may be of any size. */
  readonly mayPass: boolean;
}

interface Pouring extends Beginning {
  readonly send: Send;
  readonly channel: Channel;
  readonly way: InputWay;
  readonly isBulk: boolean;
  readonly signal: AbortSignal;
}

/** One input, read once; given to the jobs of a step's tries, one after the other. */
export class JobInput {
  readonly #supply: InputSupply;
  #givenTo: string | undefined;
  /** Links that brought this job some of it. */
  #turns = 0;

  constructor(source: InputSource) {
    this.#supply = new InputSupply(source);
  }

  /** Whether another job than this can no longer be given all of it. */
  isSpentFor(job: string): boolean {
    return this.#givenTo !== undefined && this.#givenTo !== job && this.#supply.isSpent;
  }

  /** A job there is about to be given it: what that takes may begin beside the job's start. */
  announce(transport: Transport): void {
    new InputWay(transport).announce(this.#supply.size);
  }

  /**
   * Gives the job all that comes, as fast as it takes it; returns when there is no more or it takes no more.
   *
   * @throws {GridError} `workspace` where the node has no room; `lost` when it stays away for the lease;
   * `step-failed` where nobody knows how much the command has got; the signal's reason; what reading the
   * source threw
   */
  async feed(link: JobLink, signal: AbortSignal): Promise<void> {
    if (this.#givenTo !== link.identity.id) {
      this.#givenTo = link.identity.id;
      this.#turns = 0;
    }
    const way = new InputWay(link.transport);
    await way.expect(this.#supply.size, signal);
    const turn = () => this.#converse(link, { way, signal });
    while (await link.persist(turn, signal) === "another way");
  }

  /** Nobody wants the rest. */
  async cancel(): Promise<void> {
    await this.#supply.cancel();
  }

  async #converse(
    link: JobLink,
    { way, signal }: { readonly way: InputWay; readonly signal: AbortSignal },
  ): Promise<"over" | "another way"> {
    const { command, script } = programOverStdin(pourProgram());
    const marker = `grid:${randomWord(12)}`;
    const { root, id } = link.identity;
    const isBulk = way.take();
    await using channel = await link.transport.open(command, { signal, isBulk });
    channel.exit.catch(() => {});
    const ended = new AbortController();
    const either = AbortSignal.any([signal, ended.signal]);
    const writer = channel.stdin.getWriter();
    const send: Send = async (bytes, { isFlushed } = {}) => {
      await raceAbort(writer.ready, either);
      const writing = writer.write(bytes);
      writing.catch(() => {});
      if (isFlushed) await raceAbort(writing, either);
    };
    try {
      const words = [marker, root, id, ++this.#turns].join("\n");
      await send(encoder.encode(`${script}${words}\n`));
      const begun = Promise.withResolvers<Beginning>();
      const heard = this.#hear(channel, { link, marker, signal, begin: begun.resolve })
        .finally(() => ended.abort());
      heard.catch(() => {});
      const poured = raceAbort(begun.promise, either)
        .then((beginning) =>
          this.#pour({ ...beginning, send, channel, way, isBulk, signal: either })
        );
      const isAll = await poured.catch((error) => {
        if (signal.aborted || error === this.#supply.fault) throw error;
        // Nothing can be sent any more; why not is for the node to say, or for its silence.
        return true;
      });
      // What was sent is handed on first: the next turn begins behind it.
      if (!isAll) writer.close().catch(() => {});
      if (await heard === "over") return "over";
      if (isAll) throw gone(link);
      await raceAbort(channel.exit.catch(() => {}), signal);
      return "another way";
    } finally {
      // Not waited for: what is under way may be stuck until the channel is closed.
      writer.abort().catch(() => {});
    }
  }

  /** Sends what there is, then what comes; up to the end, or false where a better way is open, or this one broke. */
  async #pour({ at: begun, way, isBulk, ...turn }: Pouring): Promise<boolean> {
    const { send, signal } = turn;
    const passed = turn.mayPass ? await this.#pass(turn, begun) : 0;
    if (passed === undefined) return false;
    let at = begun + passed;
    this.#supply.readFrom(at);
    for (;;) {
      if (way.isBetter) return false;
      const piece = await this.#supply.piece(at, { most: PIECE_BYTES, signal });
      if (piece.length === 0) break;
      await send(encoder.encode(`${piece.length}\n`));
      await send(piece);
      at += piece.length;
      way.sent(piece.length, { isBulk });
    }
    if (this.#supply.fault !== undefined) throw this.#supply.fault;
    await send(encoder.encode("end\n"));
    return true;
  }

  /** How many bytes another program has passed; undefined where it left a piece undone. */
  async #pass(
    { channel, send, signal }: Pick<Pouring, "channel" | "send" | "signal">,
    at: number,
  ): Promise<number | undefined> {
    const { passInput } = channel;
    if (passInput === undefined) return 0;
    let passed = 0;
    for (let bytes; (bytes = this.#supply.passable(at + passed)) > 0; passed += bytes) {
      await send(encoder.encode(`${bytes}\n`), { isFlushed: true });
      this.#supply.leave(bytes);
      if (!await passInput(bytes, signal)) return undefined;
    }
    // Only what is read here can be sent once more from here.
    if (passed > 0) await this.#supply.allArrived(at + passed, signal);
    return passed;
  }

  /** Whether the command wants no more; or what was listened to has ended. */
  async #hear(
    channel: Channel,
    { link, marker, signal, begin }: {
      link: JobLink;
      marker: string;
      signal: AbortSignal;
      begin: (beginning: Beginning) => void;
    },
  ): Promise<"over" | "ended"> {
    const reader = new ByteReader(channel.stdout);
    const line = async () =>
      await raceAbort(
        reader.line(MOST_LINE_BYTES, () => strange(link, "a line without end")),
        signal,
      );
    try {
      for (let greetings = 0;; greetings++) {
        const word = await line();
        if (word === undefined) throw gone(link);
        if (word === marker) break;
        if (greetings > MOST_GREETING_LINES) throw strange(link, "no answer");
      }
      for (;;) {
        const word = await line();
        if (word === "over" || word === "end") return "over";
        if (word === undefined) return "ended";
        if (word === "room") throw noRoom(link);
        if (word === "torn") throw torn(link);
        const said = PLACE.exec(word);
        const at = Number(said?.groups?.["at"]);
        // NaN is nowhere.
        if (!this.#supply.has(at)) throw strange(link, `"${word.slice(0, 80)}"`);
        this.#supply.arrived(at);
        if (said?.groups?.["first"]) begin({ at, mayPass: said.groups["any"] !== undefined });
      }
    } finally {
      await reader.cancel();
    }
  }
}

function pourProgram(): string {
  const relay = `grid_pour_program=${quote(jobProgram("pour.pl"))}\n`;
  return [nodePrelude(), relay, jobProgram("job_pour.sh")].join("\n");
}

/** The link, or the program, ended: worth another try. */
function gone(link: JobLink): GridError {
  return new GridError({
    code: "channel",
    message: `Cannot give the command on "${link.node}" its input: the connection ended`,
    node: link.node,
  });
}

/** Whatever was sent now could be missed, or come twice. */
function torn(link: JobLink): GridError {
  return new GridError({
    code: "step-failed",
    message:
      `Cannot give the command on "${link.node}" the rest of its input: what handed it on was ` +
      "killed there in the midst, so nobody knows how much has arrived",
    hint: `end it, and run it once more: grid kill ${link.identity.id}`,
    node: link.node,
  });
}

function noRoom(link: JobLink): GridError {
  return new GridError({
    code: "workspace",
    message:
      `Cannot give the command on "${link.node}" its input: the node has no room to note how far it is`,
    hint: `is the disk of remote_root full? grid run --node ${link.node} --no-stdin "df -h"`,
    node: link.node,
  });
}

function strange(link: JobLink, what: string): GridError {
  return new GridError({
    code: "answer-invalid",
    message: `Cannot give the command on "${link.node}" its input: the node answered ${what}`,
    hint: `what do its start-up files print? grid run --node ${link.node} --no-stdin "true"`,
    node: link.node,
  });
}
