ALTER TABLE `api_keys` ADD COLUMN `previous_secret_hmac` VARCHAR(191) NULL AFTER `secret_hmac`;

ALTER TABLE `api_keys` ADD COLUMN `previous_until` DATETIME(3) NULL AFTER `previous_secret_hmac`;

ALTER TABLE `api_keys` ADD UNIQUE INDEX `api_keys_previous_secret_hmac_key` (`previous_secret_hmac`);

CREATE TABLE `sessions` (
  `id` INTEGER NOT NULL AUTO_INCREMENT,
  `user_id` INTEGER NOT NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `expires_at` DATETIME(3) NOT NULL,
  `revoked_at` DATETIME(3) NULL,
  `client_ip` VARCHAR(64) NOT NULL,
  `user_agent` VARCHAR(191) NOT NULL,
  PRIMARY KEY (`id`),
  INDEX `sessions_user_id_idx` (`user_id`),
  INDEX `sessions_expires_at_idx` (`expires_at`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `refresh_tokens` (
  `token_hmac` VARCHAR(191) NOT NULL,
  `session_id` INTEGER NOT NULL,
  `expires_at` DATETIME(3) NOT NULL,
  `used_at` DATETIME(3) NULL,
  PRIMARY KEY (`token_hmac`),
  INDEX `refresh_tokens_session_id_idx` (`session_id`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `sign_in_tries` (
  `subject` VARCHAR(191) NOT NULL,
  `tries` INTEGER NOT NULL,
  `first_at_ms` BIGINT NOT NULL,
  PRIMARY KEY (`subject`),
  INDEX `sign_in_tries_first_at_ms_idx` (`first_at_ms`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

ALTER TABLE `sessions` ADD CONSTRAINT `sessions_user_id_fkey` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE ON UPDATE RESTRICT;

ALTER TABLE `refresh_tokens` ADD CONSTRAINT `refresh_tokens_session_id_fkey` FOREIGN KEY (`session_id`) REFERENCES `sessions` (`id`) ON DELETE CASCADE ON UPDATE RESTRICT;
