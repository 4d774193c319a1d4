ALTER TABLE `accounts` ADD COLUMN `plan` VARCHAR(60) NOT NULL DEFAULT '' AFTER `model_mapping`;

ALTER TABLE `account_credentials` ADD COLUMN `expires_at_ms` BIGINT NULL AFTER `version`;

ALTER TABLE `account_credentials` ADD COLUMN `refreshed_at_ms` BIGINT NULL AFTER `expires_at_ms`;

ALTER TABLE `account_credentials` ADD COLUMN `refresh_started_at_ms` BIGINT NULL AFTER `refreshed_at_ms`;

ALTER TABLE `account_credentials` ADD COLUMN `refresh_failure` VARCHAR(191) NOT NULL DEFAULT '' AFTER `refresh_started_at_ms`;

CREATE TABLE `account_logins` (
  `state_hmac` VARCHAR(191) NOT NULL,
  `user_id` INTEGER NOT NULL,
  `sealed` TEXT NOT NULL,
  `expires_at_ms` BIGINT NOT NULL,
  PRIMARY KEY (`state_hmac`),
  INDEX `account_logins_expires_at_ms_idx` (`expires_at_ms`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
