/** Names that careless cleaning makes one: by replaced signs, by case, by length, by composition. */
export const ALIKE: readonly string[] = [
  "org/a",
  "org_a",
  "org a",
  "org-a",
  "ORG_A",
  "模型",
  "数据",
  `${"x".repeat(300)}1`,
  `${"x".repeat(300)}2`,
  "e\u0301",
  "\u00e9",
];

/** The same of steps, whose names have letters, digits and these two signs. */
export const ALIKE_STEPS: readonly string[] = ["same-a", "same_a", "Same_A"];
