/** Every language has exactly the keys of English: a missing or an extra one does not compile. */
export type Words<T> = { [K in keyof T]: T[K] extends string ? string : Words<T[K]> }
