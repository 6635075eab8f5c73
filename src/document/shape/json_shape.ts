/**
 * Whether a value fits a JSON Schema, without a word about why not. The schemas are written from the
 * zod schemas; a file that fits needs neither zod nor its schema, whose loading takes longer than
 * reading a thousand steps. Of a file that does not fit, zod says what is wrong.
 */

/** The part of JSON Schema that `z.toJSONSchema` uses. */
export interface JsonShape {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonShape>>;
  readonly type?: string | readonly string[];
  readonly allOf?: readonly JsonShape[];
  readonly anyOf?: readonly JsonShape[];
  readonly oneOf?: readonly JsonShape[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonShape>>;
  readonly patternProperties?: Readonly<Record<string, JsonShape>>;
  readonly additionalProperties?: boolean | JsonShape;
  readonly propertyNames?: JsonShape;
  readonly required?: readonly string[];
  readonly items?: JsonShape;
  readonly minItems?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

/** Every key of a schema that is understood here, and those that only explain. */
export const KNOWN_KEYWORDS: ReadonlySet<string> = new Set([
  ...["$ref", "$defs", "type", "allOf", "anyOf", "oneOf", "const", "enum", "properties"],
  ...["patternProperties", "additionalProperties", "propertyNames", "required", "items"],
  ...["minItems", "minLength", "pattern", "minimum", "maximum", "exclusiveMinimum"],
  ...["$schema", "title", "description", "examples"],
]);

export class ShapeChecker {
  readonly #root: JsonShape;
  readonly #patterns = new Map<string, RegExp>();

  constructor(root: JsonShape) {
    this.#root = root;
  }

  fits(value: unknown, shape: JsonShape = this.#root): boolean {
    if (shape.$ref !== undefined && !this.fits(value, this.#definition(shape.$ref))) return false;
    if (shape.type !== undefined && !hasTypeOf(value, shape.type)) return false;
    if (shape.allOf?.every((each) => this.fits(value, each)) === false) return false;
    if (shape.anyOf !== undefined && !shape.anyOf.some((one) => this.fits(value, one))) {
      return false;
    }
    if (shape.oneOf !== undefined && this.#count(value, shape.oneOf) !== 1) return false;
    if (shape.const !== undefined && value !== shape.const) return false;
    if (shape.enum !== undefined && !shape.enum.includes(value)) return false;
    if (typeof value === "string") return this.#fitsText(value, shape);
    if (typeof value === "number") return fitsNumber(value, shape);
    if (Array.isArray(value)) return this.#fitsList(value, shape);
    if (typeof value === "object" && value !== null) return this.#fitsMap(value, shape);
    return true;
  }

  #count(value: unknown, shapes: readonly JsonShape[]): number {
    return shapes.reduce((count, shape) => count + (this.fits(value, shape) ? 1 : 0), 0);
  }

  #definition(reference: string): JsonShape {
    const found = this.#root.$defs?.[reference.slice("#/$defs/".length)];
    if (found === undefined) throw new Error(`the schema defines no ${reference}`);
    return found;
  }

  #matches(text: string, pattern: string): boolean {
    let compiled = this.#patterns.get(pattern);
    if (compiled === undefined) this.#patterns.set(pattern, compiled = new RegExp(pattern));
    return compiled.test(text);
  }

  #fitsText(text: string, { pattern, minLength = 0 }: JsonShape): boolean {
    return text.length >= minLength && (pattern === undefined || this.#matches(text, pattern));
  }

  #fitsList(list: readonly unknown[], { items, minItems = 0 }: JsonShape): boolean {
    return list.length >= minItems &&
      (items === undefined || list.every((item) => this.fits(item, items)));
  }

  #fitsMap(map: object, shape: JsonShape): boolean {
    const { required, propertyNames } = shape;
    if (required?.every((key) => Object.hasOwn(map, key)) === false) return false;
    // Half of the maps met are alternatives that only name what is required.
    if (shape.properties === undefined && shape.additionalProperties === undefined) return true;
    for (const key of Object.keys(map)) {
      if (propertyNames !== undefined && !this.fits(key, propertyNames)) return false;
      if (!this.#fitsEntry(key, (map as Record<string, unknown>)[key], shape)) return false;
    }
    return true;
  }

  #fitsEntry(key: string, value: unknown, shape: JsonShape): boolean {
    const { properties, patternProperties, additionalProperties = true } = shape;
    if (properties !== undefined && Object.hasOwn(properties, key)) {
      return this.fits(value, properties[key]);
    }
    for (const pattern in patternProperties) {
      if (this.#matches(key, pattern)) return this.fits(value, patternProperties[pattern]);
    }
    if (typeof additionalProperties === "boolean") return additionalProperties;
    return this.fits(value, additionalProperties);
  }
}

function hasTypeOf(value: unknown, types: string | readonly string[]): boolean {
  return typeof types === "string"
    ? hasType(value, types)
    : types.some((type) => hasType(value, type));
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isSafeInteger(value);
    case "number":
      return Number.isFinite(value);
    case "null":
      return value === null;
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    default:
      return false;
  }
}

function fitsNumber(value: number, shape: JsonShape): boolean {
  const { minimum, maximum, exclusiveMinimum } = shape;
  return (minimum === undefined || value >= minimum) &&
    (maximum === undefined || value <= maximum) &&
    (exclusiveMinimum === undefined || value > exclusiveMinimum);
}
