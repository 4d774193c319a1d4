ALTER TABLE `groups` ADD COLUMN `strip_foreign_reasoning` BOOLEAN NOT NULL DEFAULT false AFTER `returns_to_priority`;

ALTER TABLE `job_runs` ADD COLUMN `model` VARCHAR(191) NOT NULL DEFAULT '' AFTER `account_id`;
