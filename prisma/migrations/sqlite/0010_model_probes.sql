-- AlterTable
ALTER TABLE "groups" ADD COLUMN "strip_foreign_reasoning" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "job_runs" ADD COLUMN "model" TEXT NOT NULL DEFAULT '';
