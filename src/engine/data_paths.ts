/** Variable that commands find → node → absolute path there: a data set may lie elsewhere on each node. */
export type DataPaths = Readonly<Record<string, Readonly<Record<string, string>>>>;
