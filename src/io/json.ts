/** The value of a JSON text (RFC 8259), undefined for anything else: `undefined` is no value of JSON, and every schema refuses it. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
