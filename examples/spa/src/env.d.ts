interface ImportMetaEnv {
  /** Where Sallyport is reached; filled in by vite.config.ts. */
  readonly SALLYPORT_URL: string
  /** Where the example resource server is reached; null where it does not run. */
  readonly RESOURCE_SERVER_URL: string | null
}
