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

-- CreateTable
CREATE TABLE "account_gauges" (
    "account_id" INTEGER NOT NULL,
    "gauge" TEXT NOT NULL,
    "at_ms" BIGINT NOT NULL,
    "utilization_ppm" INTEGER NOT NULL,
    "status" TEXT NOT NULL,
    "reset_at_ms" BIGINT,

    PRIMARY KEY ("account_id", "gauge", "at_ms")
);

-- CreateIndex
CREATE INDEX "account_logins_expires_at_ms_idx" ON "account_logins"("expires_at_ms");

-- CreateIndex
CREATE INDEX "account_gauges_at_ms_idx" ON "account_gauges"("at_ms");
