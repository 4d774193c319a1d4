const none: readonly string[] = Object.freeze([])

/** Remarks on a usage, each once, in the order they came. Nearly always none, and then nothing is allocated for them. */
export class UsageFlags {
  private flags: readonly string[]

  constructor(flags: readonly string[] = none) {
    this.flags = flags
  }

  add(flag: string): void {
    if (!this.flags.includes(flag)) this.flags = [...this.flags, flag]
  }

  has(flag: string): boolean {
    return this.flags.includes(flag)
  }

  /** False when it was not there. */
  delete(flag: string): boolean {
    if (!this.has(flag)) return false
    this.flags = this.flags.filter((other) => other !== flag)
    return true
  }

  clear(): void {
    this.flags = none
  }

  /** As they are now; what is added later is not in it. */
  list(): readonly string[] {
    return this.flags
  }
}
