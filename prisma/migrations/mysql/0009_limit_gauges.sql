CREATE TABLE `account_gauges` (
  `account_id` INTEGER NOT NULL,
  `window_name` VARCHAR(32) NOT NULL,
  `status` VARCHAR(32) NOT NULL,
  `utilization_ppm` INTEGER NOT NULL,
  `reset_at_ms` BIGINT NULL,
  `at_ms` BIGINT NOT NULL,
  PRIMARY KEY (`account_id`, `window_name`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `account_gauge_points` (
  `account_id` INTEGER NOT NULL,
  `window_name` VARCHAR(32) NOT NULL,
  `at_ms` BIGINT NOT NULL,
  `status` VARCHAR(32) NOT NULL,
  `utilization_ppm` INTEGER NOT NULL,
  `reset_at_ms` BIGINT NULL,
  PRIMARY KEY (`account_id`, `window_name`, `at_ms`),
  INDEX `account_gauge_points_at_ms_idx` (`at_ms`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
