// The converter brings no types. What it answers is parsed in converting.ts, so that nothing else has to be declared.

declare module 'openapi-to-postmanv2' {
  const converter: {
    convert(
      input: { type: 'json'; data: object },
      options: Record<string, string | boolean>,
      callback: (error: Error | null, result: unknown) => void,
    ): void
  }
  export default converter
}
