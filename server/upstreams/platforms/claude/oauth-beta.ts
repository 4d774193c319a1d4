/** What the vendor wants to see in anthropic-beta wherever an access token of a login is used. */
export const oauthBeta = 'oauth-2025-04-20'
