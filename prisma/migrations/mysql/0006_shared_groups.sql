ALTER TABLE `users` ADD COLUMN `must_change_password` BOOLEAN NOT NULL DEFAULT false AFTER `enabled`;

ALTER TABLE `groups` ADD COLUMN `shared` BOOLEAN NOT NULL DEFAULT false AFTER `returns_to_priority`;
