CREATE TABLE `job_runs` (
  `id` BIGINT NOT NULL,
  `job` VARCHAR(32) NOT NULL,
  `account_id` INTEGER NOT NULL,
  `started_at_ms` BIGINT NOT NULL,
  `duration_ms` INTEGER NOT NULL,
  `outcome` VARCHAR(16) NOT NULL,
  `status` INTEGER NOT NULL,
  `message` VARCHAR(191) NOT NULL,
  `cost_nano` BIGINT NOT NULL,
  PRIMARY KEY (`id`),
  INDEX `job_runs_account_id_id_idx` (`account_id`, `id`),
  INDEX `job_runs_job_account_id_id_idx` (`job`, `account_id`, `id`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
