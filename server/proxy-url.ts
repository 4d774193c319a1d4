/** A proxy: http or https (by CONNECT), socks5 or socks5h (with both the proxy resolves names). */
export interface ProxyUrl {
  protocol: 'http:' | 'https:' | 'socks5:' | 'socks5h:'
  /** Without brackets. */
  hostname: string
  port: number
  /** Unescaped; null without credentials in the URL. */
  credentials: { username: string; password: string } | null
  /** host:port, for messages. */
  name: string
}

const defaultPorts = { 'http:': 80, 'https:': 443, 'socks5:': 1080, 'socks5h:': 1080 }

/**
 * Reads a proxy's URL, with user and password %-escaped. Returns null for anything else. Never throws, because Node's error
 * contains the URL and so the password.
 */
export function parseProxyUrl(text: string): ProxyUrl | null {
  if (!URL.canParse(text) || /[\s\p{Cc}?#]/u.test(text)) return null
  const url = new URL(text)
  if (!(url.protocol in defaultPorts) || !url.hostname || !/^\/?$/.test(url.pathname)) return null
  const protocol = url.protocol as ProxyUrl['protocol']
  const port = url.port === '' ? defaultPorts[protocol] : Number(url.port)
  try {
    const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
    return {
      protocol,
      hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      credentials: username === '' && password === '' ? null : { username, password },
      name: `${url.hostname}:${port}`,
    }
  } catch {
    return null
  }
}
