// Stand-ins replace packages that tap and Prisma install for commands that are not used here. npm uses a stand-in as
// long as its version is the requested one: after an upgrade it installs the real package again.

/** A function of a replaced package, which throws when it is called. */
export function leftOut(name, command) {
  return () => {
    throw new Error(
      `${name} is not installed, so "${command}" does not work here. See "Dependencies" in docs/architecture.md.`,
    )
  }
}
