-- CreateTable
CREATE TABLE "account_events" (
    "id" BIGINT NOT NULL PRIMARY KEY,
    "account_id" INTEGER NOT NULL,
    "at_ms" BIGINT NOT NULL,
    "from_kind" TEXT NOT NULL,
    "to_kind" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "until_ms" BIGINT,
    "next_probe_at_ms" BIGINT,
    "reason" TEXT NOT NULL,
    "cause" TEXT NOT NULL,
    "status" INTEGER NOT NULL,
    "error_type" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "request_id" TEXT NOT NULL
);

-- CreateIndex
CREATE INDEX "account_events_account_id_id_idx" ON "account_events"("account_id", "id");
