/** The lock of a folder on a node; what a program that takes one is read behind. */
import { nodeProgram } from "../transport/node_program.ts";

/** Shell functions; see the head of `folder_lock.sh`. */
export function folderLock(): string {
  return nodeProgram("folder_lock.sh", import.meta.url);
}
