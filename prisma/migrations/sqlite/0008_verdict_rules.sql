-- AlterTable
ALTER TABLE "attempts" ADD COLUMN "error_code" TEXT NOT NULL DEFAULT '';

-- CreateTable
CREATE TABLE "verdict_rules" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "platform" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "error_type" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "effect" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "duration_seconds" INTEGER,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL
);

-- CreateIndex
CREATE UNIQUE INDEX "verdict_rules_name_key" ON "verdict_rules"("name");
