const storageKey = 'relay.tested'

/** Notes in this browser that a test of an account succeeded: the server keeps no results of tests. */
export const noteTested = (): void => localStorage.setItem(storageKey, 'yes')

export const wasTested = (): boolean => localStorage.getItem(storageKey) === 'yes'
