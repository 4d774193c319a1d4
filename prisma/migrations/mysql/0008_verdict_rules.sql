ALTER TABLE `attempts` ADD COLUMN `error_code` VARCHAR(80) NOT NULL DEFAULT '';

CREATE TABLE `verdict_rules` (
  `id` INTEGER NOT NULL AUTO_INCREMENT,
  `name` VARCHAR(191) NOT NULL,
  `position` INTEGER NOT NULL,
  `enabled` BOOLEAN NOT NULL DEFAULT true,
  `platform` VARCHAR(16) NOT NULL,
  `status` VARCHAR(16) NOT NULL,
  `error_type` VARCHAR(80) NOT NULL,
  `code` VARCHAR(80) NOT NULL,
  `message` VARCHAR(300) NOT NULL,
  `effect` VARCHAR(16) NOT NULL,
  `scope` VARCHAR(16) NOT NULL,
  `duration_seconds` INTEGER NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `verdict_rules_name_key` (`name`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
