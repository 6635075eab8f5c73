/**
 * Maps whose names come from files, nodes or people. Every object seems to hold `constructor`,
 * `toString` and the other names of `Object.prototype`, and `__proto__` cannot simply be set.
 */

/** The value under a name, where the map itself holds it. */
export function own<T>(map: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

/** Sets a name, whichever it is. */
export function setOwn<T>(map: Record<string, T>, name: string, value: NoInfer<T>): void {
  if (name !== "__proto__") map[name] = value;
  else {
    const plain = { value, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(map, name, plain);
  }
}
