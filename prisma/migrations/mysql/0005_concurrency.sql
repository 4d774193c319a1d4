ALTER TABLE `groups` ADD COLUMN `returns_to_priority` BOOLEAN NOT NULL DEFAULT true AFTER `enabled`;

ALTER TABLE `accounts` ADD COLUMN `concurrency` INTEGER NULL AFTER `weight`;
