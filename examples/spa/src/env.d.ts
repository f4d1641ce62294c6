interface ImportMetaEnv {
  /** The URL of Sallyport; set by vite.config.ts. */
  readonly SALLYPORT_URL: string
  /** The URL of the example resource server; null if it is not running. */
  readonly RESOURCE_SERVER_URL: string | null
}
