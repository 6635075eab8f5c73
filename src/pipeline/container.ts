/** `container:` of a command, as written; and what its words may be once they are known. */
import { isContainer } from "../document/source.ts";
import type { Container, RunAction } from "./pipeline.ts";
import type { HookEntry } from "./schema.ts";
import type { Text } from "../expression/text.ts";
import type { TextReader } from "../expression/reader.ts";

export interface ContainerFault {
  readonly rule: "container-image" | "container-volume" | "container-option";
  readonly message: string;
  readonly hint: string;
}

export function readContainer(
  entry: HookEntry,
  reader: TextReader,
): Pick<RunAction<Text>, "container"> {
  const { container } = entry;
  if (container === undefined) return {};
  const map = isContainer(container) ? container : undefined;
  const found = {
    image: map ? reader.text(map, "image") : reader.text(entry, "container"),
    engine: map?.engine ?? "auto",
    gpus: map?.gpus ?? "auto",
    volumes: map ? reader.list(map, "volumes") : [],
    user: map && reader.optional(map, "user"),
    options: map ? reader.list(map, "options") : [],
  };
  const { source } = reader;
  const report = (
    text: Text,
    faultOf: FaultOf,
    spot: () => ReturnType<typeof source.valueSpot>,
  ) => {
    const fault = text.constant === undefined ? undefined : faultOf(text.constant);
    if (fault) reader.report({ ...fault, spot: spot() });
  };
  report(
    found.image,
    imageFault,
    () => map ? source.valueSpot(map, "image") : source.valueSpot(entry, "container"),
  );
  const lists = [["volumes", volumeFault], ["options", optionFault]] as const;
  for (const [key, faultOf] of map ? lists : []) {
    const list = map?.[key];
    for (const [index, text] of found[key].entries()) {
      report(
        text,
        faultOf,
        () =>
          Array.isArray(list) ? source.valueSpot(list, index) : source.valueSpot(map ?? {}, key),
      );
    }
  }
  if (entry.shell === "bash -l") {
    reader.report({
      rule: "container-shell",
      spot: source.valueSpot(entry, "shell"),
      message:
        "shell: bash -l has no meaning in a container: the account's login files are not there",
      hint: "leave it out, or source a file of the image in before:",
    });
  }
  return { container: found };
}

/** What no engine could take as it is meant, where expressions gave it. */
export function containerFault(
  { image, volumes, options }: Pick<Container<string>, "image" | "volumes" | "options">,
): ContainerFault | undefined {
  return [imageFault(image), ...volumes.map(volumeFault), ...options.map(optionFault)]
    .find((fault) => fault !== undefined);
}

type FaultOf = (text: string) => ContainerFault | undefined;

/** It stands behind the engine's options: what begins with a hyphen would be one of them. */
const imageFault: FaultOf = (image) =>
  /^[^\s\p{Cc}-][^\s\p{Cc}]*$/u.test(image) ? undefined : {
    rule: "container-image",
    message: `${JSON.stringify(image)} is no name of an image`,
    hint: "write it as the engine names it, such as python:3.12",
  };

const volumeFault: FaultOf = (volume) =>
  /^[^:\p{Cc}]+:\/[^:\p{Cc}]*(:[\w,=.-]+)?$/u.test(volume) ? undefined : {
    rule: "container-volume",
    message: `${JSON.stringify(volume)} does not say what is where in the container`,
    hint: "write /data:/data, or /data:/data:ro: there, an absolute path inside, how",
  };

/** Options that would change who the container is, or how it is ended. */
const TAKEN_OPTION =
  /^(--(name|rm|detach|tty|interactive|cidfile|entrypoint|restart|replace)(?=$|=)|-[a-z]*[dit][a-z]*$)/;

/** Of two labels of one name engines keep the last: without Grid's the container would not be found again. */
const TAKEN_LABEL = /^(?:--label=|-[A-Za-z]*l=?)?(grid\.[\w.-]+)/;

const optionFault: FaultOf = (option) => {
  const taken = TAKEN_OPTION.exec(option)?.[0] ??
    (TAKEN_LABEL.test(option) ? `the label ${TAKEN_LABEL.exec(option)?.[1]}` : undefined);
  return taken === undefined ? undefined : {
    rule: "container-option",
    message: `${taken} is Grid's own: the container is named and ended by its job`,
    hint: "leave it out; a step has no terminal, and nothing of it outlives it",
  };
};
