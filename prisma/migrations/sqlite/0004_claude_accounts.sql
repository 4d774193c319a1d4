-- AlterTable
ALTER TABLE "accounts" ADD COLUMN "plan" TEXT NOT NULL DEFAULT '';

-- AlterTable
ALTER TABLE "account_credentials" ADD COLUMN "expires_at_ms" BIGINT;
ALTER TABLE "account_credentials" ADD COLUMN "refreshed_at_ms" BIGINT;
ALTER TABLE "account_credentials" ADD COLUMN "refresh_started_at_ms" BIGINT;
ALTER TABLE "account_credentials" ADD COLUMN "refresh_failure" TEXT NOT NULL DEFAULT '';

-- CreateTable
CREATE TABLE "account_logins" (
    "state_hmac" TEXT NOT NULL PRIMARY KEY,
    "user_id" INTEGER NOT NULL,
    "sealed" TEXT NOT NULL,
    "expires_at_ms" BIGINT NOT NULL
);

-- CreateIndex
CREATE INDEX "account_logins_expires_at_ms_idx" ON "account_logins"("expires_at_ms");
