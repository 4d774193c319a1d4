-- CreateTable
CREATE TABLE "job_runs" (
    "id" BIGINT NOT NULL PRIMARY KEY,
    "job" TEXT NOT NULL,
    "account_id" INTEGER NOT NULL,
    "started_at_ms" BIGINT NOT NULL,
    "duration_ms" INTEGER NOT NULL,
    "outcome" TEXT NOT NULL,
    "status" INTEGER NOT NULL,
    "message" TEXT NOT NULL,
    "cost_nano" BIGINT NOT NULL
);

-- CreateIndex
CREATE INDEX "job_runs_account_id_id_idx" ON "job_runs"("account_id", "id");

-- CreateIndex
CREATE INDEX "job_runs_job_account_id_id_idx" ON "job_runs"("job", "account_id", "id");
