-- AlterTable
ALTER TABLE "api_keys" ADD COLUMN "previous_secret_hmac" TEXT;
ALTER TABLE "api_keys" ADD COLUMN "previous_until" DATETIME;

-- CreateTable
CREATE TABLE "sessions" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "user_id" INTEGER NOT NULL,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" DATETIME NOT NULL,
    "revoked_at" DATETIME,
    "client_ip" TEXT NOT NULL,
    "user_agent" TEXT NOT NULL,
    CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE ON UPDATE RESTRICT
);

-- CreateTable
CREATE TABLE "refresh_tokens" (
    "token_hmac" TEXT NOT NULL PRIMARY KEY,
    "session_id" INTEGER NOT NULL,
    "expires_at" DATETIME NOT NULL,
    "used_at" DATETIME,
    CONSTRAINT "refresh_tokens_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions" ("id") ON DELETE CASCADE ON UPDATE RESTRICT
);

-- CreateTable
CREATE TABLE "sign_in_tries" (
    "subject" TEXT NOT NULL PRIMARY KEY,
    "tries" INTEGER NOT NULL,
    "first_at_ms" BIGINT NOT NULL
);

-- CreateIndex
CREATE INDEX "sessions_user_id_idx" ON "sessions"("user_id");

-- CreateIndex
CREATE INDEX "sessions_expires_at_idx" ON "sessions"("expires_at");

-- CreateIndex
CREATE INDEX "refresh_tokens_session_id_idx" ON "refresh_tokens"("session_id");

-- CreateIndex
CREATE INDEX "sign_in_tries_first_at_ms_idx" ON "sign_in_tries"("first_at_ms");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_previous_secret_hmac_key" ON "api_keys"("previous_secret_hmac");
