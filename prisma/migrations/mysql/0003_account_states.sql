CREATE TABLE `account_events` (
  `id` BIGINT NOT NULL,
  `account_id` INTEGER NOT NULL,
  `at_ms` BIGINT NOT NULL,
  `from_kind` VARCHAR(16) NOT NULL,
  `to_kind` VARCHAR(16) NOT NULL,
  `model` VARCHAR(191) NOT NULL,
  `until_ms` BIGINT NULL,
  `next_probe_at_ms` BIGINT NULL,
  `reason` VARCHAR(191) NOT NULL,
  `cause` VARCHAR(16) NOT NULL,
  `status` INTEGER NOT NULL,
  `error_type` VARCHAR(191) NOT NULL,
  `code` VARCHAR(191) NOT NULL,
  `message` VARCHAR(200) NOT NULL,
  `request_id` VARCHAR(32) NOT NULL,
  PRIMARY KEY (`id`),
  INDEX `account_events_account_id_id_idx` (`account_id`, `id`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
