import { type InjectionKey, inject, type Ref } from 'vue'
import type { Socket } from '../graphql/socket.ts'
import type { Session } from '../session.ts'
import type { Theme } from './theme.ts'

/** What main.ts made once and pages reach for. */
export interface Parts {
  session: Session
  socket: Socket
  theme: Ref<Theme>
}

export const partsKey: InjectionKey<Parts> = Symbol('parts')

export function useParts(): Parts {
  const parts = inject(partsKey)
  if (parts === undefined) throw new Error('Parts are provided by main.ts.')
  return parts
}
