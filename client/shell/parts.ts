import { type InjectionKey, inject, type Ref } from 'vue'
import type { Socket } from '../data/socket.ts'
import type { Languages } from '../locales/language.ts'
import type { Session } from '../session.ts'
import type { Theme } from './theme.ts'

/** What main.ts made once and pages use. */
export interface Parts {
  session: Session
  socket: Socket
  theme: Ref<Theme>
  languages: Languages
}

export const partsKey: InjectionKey<Parts> = Symbol('parts')

export function useParts(): Parts {
  const parts = inject(partsKey)
  if (parts === undefined) throw new Error('Parts are provided by main.ts.')
  return parts
}
