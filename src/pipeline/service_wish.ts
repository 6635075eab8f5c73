/** What makes a command a service. */
export interface Service {
  /** Where it listens on its node; undefined for one that does not. */
  readonly port: number | "auto" | undefined;
  readonly ready: ServiceReady;
  /** How long it may take to become ready. */
  readonly withinMs: number;
  readonly life: ServiceLife;
}

/** What says that a service is ready. */
export type ServiceReady =
  /** Its port listens. */
  | { readonly kind: "port" }
  /** The path is answered with 2xx or 3xx. */
  | { readonly kind: "http"; readonly path: string }
  /** A command on the node succeeds. */
  | { readonly kind: "command"; readonly run: string }
  /** A printed line matches. */
  | { readonly kind: "output"; readonly pattern: string };

/** How long a service lives; `ms`: from its start, whatever becomes of its run. */
export type ServiceLife = "run" | "until-stopped" | { readonly ms: number };
