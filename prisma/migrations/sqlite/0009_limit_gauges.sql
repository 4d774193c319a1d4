-- CreateTable
CREATE TABLE "account_gauges" (
    "account_id" INTEGER NOT NULL,
    "window_name" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "utilization_ppm" INTEGER NOT NULL,
    "reset_at_ms" BIGINT,
    "at_ms" BIGINT NOT NULL,

    PRIMARY KEY ("account_id", "window_name")
);

-- CreateTable
CREATE TABLE "account_gauge_points" (
    "account_id" INTEGER NOT NULL,
    "window_name" TEXT NOT NULL,
    "at_ms" BIGINT NOT NULL,
    "status" TEXT NOT NULL,
    "utilization_ppm" INTEGER NOT NULL,
    "reset_at_ms" BIGINT,

    PRIMARY KEY ("account_id", "window_name", "at_ms")
);

-- CreateIndex
CREATE INDEX "account_gauge_points_at_ms_idx" ON "account_gauge_points"("at_ms");
