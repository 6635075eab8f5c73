/** What Grid keeps is for its owner: it holds what runs were given, computed and printed. */

/** Of folders, and of files. */
export const PRIVATE_FOLDER = 0o700;
export const PRIVATE_FILE = 0o600;
