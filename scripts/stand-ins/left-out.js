// Stand-ins take the place of packages that tap and Prisma install for commands that are not used here. npm uses one for
// as long as its version is the one that is asked for: after an upgrade it installs the package itself again.

/** A function of a package that is left out, which fails when it is called. */
export function leftOut(name, command) {
  return () => {
    throw new Error(
      `${name} is not installed, so "${command}" does not work here. See "Dependencies" in docs/architecture.md.`,
    )
  }
}
