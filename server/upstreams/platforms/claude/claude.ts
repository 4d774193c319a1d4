import { subscriptionErrorRows } from '../../formats/anthropic/error-rows.ts'
import { gaugesOfHeaders, unifiedPrefix } from '../../formats/anthropic/unified-limits.ts'
import type { Platform } from '../../platform.ts'
import { anthropicMessageProbe, buildAnthropicRequest } from '../anthropic-request.ts'
import { consolePlatform } from '../console/console.ts'
import { oauthBeta } from './oauth-beta.ts'
import { gaugesOfUsage } from './usage-endpoint.ts'

/**
 * A subscription behind a login: the vendor's API as `console` speaks it, opened with an access token. What the client sent
 * goes up as it came; nothing is added to make a request look like somebody else's.
 */
export const claudePlatform: Platform = {
  ...consolePlatform,
  name: 'claude',
  // The login is for Claude Code's own requests.
  servesTranslated: false,
  buildRequest: (account, request) => buildAnthropicRequest(account, request, oauthBeta),
  messageProbe: (account, model) => anthropicMessageProbe(account, model, oauthBeta),
  errorRows: subscriptionErrorRows,
  renewsTokens: true,
  opensWith: 'login',
  isOptIn: true,
  limits: { prefix: unifiedPrefix, ofHeaders: gaugesOfHeaders, ofProbe: gaugesOfUsage },
  // What the subscription has left costs nothing to ask, and is asked with the same token.
  probe: ({ basePath, secret }) => ({
    method: 'GET',
    path: `${basePath}/api/oauth/usage`,
    headers: { authorization: `Bearer ${secret}`, 'anthropic-beta': oauthBeta, accept: 'application/json' },
    body: null,
  }),
}
