-- AlterTable
ALTER TABLE "groups" ADD COLUMN "returns_to_priority" BOOLEAN NOT NULL DEFAULT true;

-- AlterTable
ALTER TABLE "accounts" ADD COLUMN "concurrency" INTEGER;
