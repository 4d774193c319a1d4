CREATE TABLE `users` (
  `id` INTEGER NOT NULL AUTO_INCREMENT,
  `username` VARCHAR(191) NOT NULL,
  `email` VARCHAR(191) NULL,
  `password_hash` VARCHAR(191) NOT NULL,
  `role` ENUM('admin', 'user') NOT NULL DEFAULT 'user',
  `enabled` BOOLEAN NOT NULL DEFAULT true,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL,
  `deleted_mark` INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `users_username_deleted_mark_key` (`username`, `deleted_mark`),
  UNIQUE INDEX `users_email_deleted_mark_key` (`email`, `deleted_mark`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `groups` (
  `id` INTEGER NOT NULL AUTO_INCREMENT,
  `name` VARCHAR(191) NOT NULL,
  `remark` VARCHAR(191) NOT NULL DEFAULT '',
  `enabled` BOOLEAN NOT NULL DEFAULT true,
  `owner_id` INTEGER NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL,
  `deleted_mark` INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  INDEX `groups_owner_id_idx` (`owner_id`),
  UNIQUE INDEX `groups_name_deleted_mark_key` (`name`, `deleted_mark`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `accounts` (
  `id` INTEGER NOT NULL AUTO_INCREMENT,
  `name` VARCHAR(191) NOT NULL,
  `platform` VARCHAR(191) NOT NULL,
  `url` VARCHAR(191) NOT NULL,
  `auth_header` VARCHAR(191) NOT NULL,
  `group_id` INTEGER NOT NULL,
  `owner_id` INTEGER NULL,
  `priority` INTEGER NOT NULL DEFAULT 100,
  `weight` INTEGER NOT NULL DEFAULT 100,
  `models` TEXT NOT NULL,
  `model_mapping` TEXT NOT NULL,
  `enabled` BOOLEAN NOT NULL DEFAULT true,
  `state` VARCHAR(2000) NOT NULL DEFAULT '{"kind":"ready"}',
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL,
  `deleted_mark` INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  INDEX `accounts_group_id_idx` (`group_id`),
  INDEX `accounts_owner_id_idx` (`owner_id`),
  UNIQUE INDEX `accounts_name_deleted_mark_key` (`name`, `deleted_mark`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `account_credentials` (
  `account_id` INTEGER NOT NULL,
  `sealed` TEXT NOT NULL,
  `version` INTEGER NOT NULL DEFAULT 1,
  `updated_at` DATETIME(3) NOT NULL,
  PRIMARY KEY (`account_id`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `api_keys` (
  `id` INTEGER NOT NULL AUTO_INCREMENT,
  `name` VARCHAR(191) NOT NULL,
  `secret_hmac` VARCHAR(191) NOT NULL,
  `secret_hint` VARCHAR(191) NOT NULL,
  `user_id` INTEGER NULL,
  `group_id` INTEGER NOT NULL,
  `models` TEXT NOT NULL,
  `daily_limit_nano` BIGINT NULL,
  `total_limit_nano` BIGINT NULL,
  `expires_at` DATETIME(3) NULL,
  `enabled` BOOLEAN NOT NULL DEFAULT true,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL,
  `deleted_mark` INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `api_keys_secret_hmac_key` (`secret_hmac`),
  INDEX `api_keys_user_id_idx` (`user_id`),
  INDEX `api_keys_group_id_idx` (`group_id`),
  UNIQUE INDEX `api_keys_name_deleted_mark_key` (`name`, `deleted_mark`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `logs` (
  `id` BIGINT NOT NULL,
  `started_at_ms` BIGINT NOT NULL,
  `api_key_id` INTEGER NOT NULL,
  `user_id` INTEGER NOT NULL,
  `group_id` INTEGER NOT NULL,
  `account_id` INTEGER NOT NULL,
  `platform` VARCHAR(16) NOT NULL,
  `model_requested` VARCHAR(191) NOT NULL,
  `model_sent` VARCHAR(191) NOT NULL,
  `model_billed` VARCHAR(191) NOT NULL,
  `stream` BOOLEAN NOT NULL,
  `outcome` VARCHAR(16) NOT NULL,
  `http_status` INTEGER NOT NULL,
  `error_type` VARCHAR(191) NOT NULL,
  `stop_reason` VARCHAR(191) NOT NULL,
  `attempts` INTEGER NOT NULL,
  `first_byte_ms` INTEGER NOT NULL,
  `duration_ms` INTEGER NOT NULL,
  `input_tokens` BIGINT NOT NULL,
  `output_tokens` BIGINT NOT NULL,
  `cache_write_5m_tokens` BIGINT NOT NULL,
  `cache_write_1h_tokens` BIGINT NOT NULL,
  `cache_read_tokens` BIGINT NOT NULL,
  `thinking_tokens` BIGINT NOT NULL,
  `web_searches` INTEGER NOT NULL,
  `usage_source` VARCHAR(16) NOT NULL,
  `usage_raw` TEXT NOT NULL,
  `flags` VARCHAR(191) NOT NULL,
  `cost_nano` BIGINT NOT NULL,
  `input_cost_nano` BIGINT NOT NULL,
  `output_cost_nano` BIGINT NOT NULL,
  `cache_write_cost_nano` BIGINT NOT NULL,
  `cache_read_cost_nano` BIGINT NOT NULL,
  `unit_cost_nano` BIGINT NOT NULL,
  `price_card_id` VARCHAR(191) NOT NULL,
  `price_source` VARCHAR(16) NOT NULL,
  `price_tier_min_tokens` INTEGER NOT NULL,
  `price_modifiers` VARCHAR(64) NOT NULL,
  `session_id` VARCHAR(191) NOT NULL,
  `agent_id` VARCHAR(191) NOT NULL,
  `client_ip` VARCHAR(64) NOT NULL,
  `user_agent` VARCHAR(191) NOT NULL,
  `request_bytes` INTEGER NOT NULL,
  PRIMARY KEY (`id`),
  INDEX `logs_api_key_id_id_idx` (`api_key_id`, `id`),
  INDEX `logs_account_id_id_idx` (`account_id`, `id`),
  INDEX `logs_user_id_id_idx` (`user_id`, `id`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `attempts` (
  `log_id` BIGINT NOT NULL,
  `number` INTEGER NOT NULL,
  `account_id` INTEGER NOT NULL,
  `model_sent` VARCHAR(191) NOT NULL,
  `model_billed` VARCHAR(191) NOT NULL,
  `started_at_ms` BIGINT NOT NULL,
  `verdict` VARCHAR(16) NOT NULL,
  `http_status` INTEGER NOT NULL,
  `error_type` VARCHAR(191) NOT NULL,
  `upstream_request_id` VARCHAR(191) NOT NULL,
  `first_byte_ms` INTEGER NOT NULL,
  `duration_ms` INTEGER NOT NULL,
  `charged` BOOLEAN NOT NULL,
  `input_tokens` BIGINT NOT NULL,
  `output_tokens` BIGINT NOT NULL,
  `cache_write_5m_tokens` BIGINT NOT NULL,
  `cache_write_1h_tokens` BIGINT NOT NULL,
  `cache_read_tokens` BIGINT NOT NULL,
  `usage_source` VARCHAR(16) NOT NULL,
  `cost_nano` BIGINT NOT NULL,
  `price_card_id` VARCHAR(191) NOT NULL,
  PRIMARY KEY (`log_id`, `number`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `hourly_rollups` (
  `hour_ms` BIGINT NOT NULL,
  `api_key_id` INTEGER NOT NULL,
  `account_id` INTEGER NOT NULL,
  `user_id` INTEGER NOT NULL,
  `group_id` INTEGER NOT NULL,
  `platform` VARCHAR(16) NOT NULL,
  `model` VARCHAR(191) NOT NULL,
  `requests` BIGINT NOT NULL,
  `failures` BIGINT NOT NULL,
  `input_tokens` BIGINT NOT NULL,
  `output_tokens` BIGINT NOT NULL,
  `cache_write_tokens` BIGINT NOT NULL,
  `cache_read_tokens` BIGINT NOT NULL,
  `web_searches` BIGINT NOT NULL,
  `cost_nano` BIGINT NOT NULL,
  `absorbed_nano` BIGINT NOT NULL,
  `duration_ms_sum` BIGINT NOT NULL,
  `first_byte_ms_sum` BIGINT NOT NULL,
  `first_byte_count` BIGINT NOT NULL,
  `duration_le_500` BIGINT NOT NULL,
  `duration_le_1000` BIGINT NOT NULL,
  `duration_le_2000` BIGINT NOT NULL,
  `duration_le_5000` BIGINT NOT NULL,
  `duration_le_10000` BIGINT NOT NULL,
  `duration_le_20000` BIGINT NOT NULL,
  `duration_le_60000` BIGINT NOT NULL,
  `duration_le_180000` BIGINT NOT NULL,
  `duration_more` BIGINT NOT NULL,
  `first_byte_le_250` BIGINT NOT NULL,
  `first_byte_le_500` BIGINT NOT NULL,
  `first_byte_le_1000` BIGINT NOT NULL,
  `first_byte_le_2000` BIGINT NOT NULL,
  `first_byte_le_5000` BIGINT NOT NULL,
  `first_byte_le_10000` BIGINT NOT NULL,
  `first_byte_le_30000` BIGINT NOT NULL,
  `first_byte_more` BIGINT NOT NULL,
  PRIMARY KEY (`hour_ms`, `api_key_id`, `account_id`, `user_id`, `group_id`, `platform`, `model`),
  INDEX `hourly_rollups_api_key_id_hour_ms_idx` (`api_key_id`, `hour_ms`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `daily_rollups` (
  `day` CHAR(10) NOT NULL,
  `api_key_id` INTEGER NOT NULL,
  `account_id` INTEGER NOT NULL,
  `user_id` INTEGER NOT NULL,
  `group_id` INTEGER NOT NULL,
  `platform` VARCHAR(16) NOT NULL,
  `model` VARCHAR(191) NOT NULL,
  `requests` BIGINT NOT NULL,
  `failures` BIGINT NOT NULL,
  `input_tokens` BIGINT NOT NULL,
  `output_tokens` BIGINT NOT NULL,
  `cache_write_tokens` BIGINT NOT NULL,
  `cache_read_tokens` BIGINT NOT NULL,
  `web_searches` BIGINT NOT NULL,
  `cost_nano` BIGINT NOT NULL,
  `absorbed_nano` BIGINT NOT NULL,
  `duration_ms_sum` BIGINT NOT NULL,
  `first_byte_ms_sum` BIGINT NOT NULL,
  `first_byte_count` BIGINT NOT NULL,
  `duration_le_500` BIGINT NOT NULL,
  `duration_le_1000` BIGINT NOT NULL,
  `duration_le_2000` BIGINT NOT NULL,
  `duration_le_5000` BIGINT NOT NULL,
  `duration_le_10000` BIGINT NOT NULL,
  `duration_le_20000` BIGINT NOT NULL,
  `duration_le_60000` BIGINT NOT NULL,
  `duration_le_180000` BIGINT NOT NULL,
  `duration_more` BIGINT NOT NULL,
  `first_byte_le_250` BIGINT NOT NULL,
  `first_byte_le_500` BIGINT NOT NULL,
  `first_byte_le_1000` BIGINT NOT NULL,
  `first_byte_le_2000` BIGINT NOT NULL,
  `first_byte_le_5000` BIGINT NOT NULL,
  `first_byte_le_10000` BIGINT NOT NULL,
  `first_byte_le_30000` BIGINT NOT NULL,
  `first_byte_more` BIGINT NOT NULL,
  PRIMARY KEY (`day`, `api_key_id`, `account_id`, `user_id`, `group_id`, `platform`, `model`),
  INDEX `daily_rollups_api_key_id_day_idx` (`api_key_id`, `day`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `journals` (
  `id` INTEGER NOT NULL AUTO_INCREMENT,
  `name` VARCHAR(191) NOT NULL,
  `settled_seq` BIGINT NOT NULL DEFAULT 0,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `journals_name_key` (`name`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `price_cards` (
  `id` VARCHAR(191) NOT NULL,
  `provider` VARCHAR(191) NOT NULL,
  `pattern` VARCHAR(191) NOT NULL,
  `match_kind` VARCHAR(16) NOT NULL,
  `effective_from_ms` BIGINT NOT NULL,
  `effective_to_ms` BIGINT NULL,
  `geo_us_bp` INTEGER NOT NULL DEFAULT 10000,
  `batch_bp` INTEGER NOT NULL DEFAULT 10000,
  `web_search_nano` BIGINT NOT NULL DEFAULT 0,
  `peaks` VARCHAR(500) NOT NULL DEFAULT '[]',
  `source` VARCHAR(500) NOT NULL,
  `checked_at` VARCHAR(16) NOT NULL,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (`id`),
  INDEX `price_cards_pattern_idx` (`pattern`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `price_tiers` (
  `card_id` VARCHAR(191) NOT NULL,
  `above_prompt_tokens` INTEGER NOT NULL,
  `speed` VARCHAR(16) NOT NULL,
  `input_pico` BIGINT NOT NULL,
  `output_pico` BIGINT NOT NULL,
  `cache_write_5m_pico` BIGINT NOT NULL,
  `cache_write_1h_pico` BIGINT NOT NULL,
  `cache_read_pico` BIGINT NOT NULL,
  `derived` BOOLEAN NOT NULL DEFAULT false,
  PRIMARY KEY (`card_id`, `above_prompt_tokens`, `speed`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `settings` (
  `name` VARCHAR(191) NOT NULL,
  `value` TEXT NOT NULL,
  `updated_at` DATETIME(3) NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `api_logs` (
  `id` BIGINT NOT NULL,
  `at_ms` BIGINT NOT NULL,
  `user_id` INTEGER NOT NULL,
  `action` VARCHAR(191) NOT NULL,
  `object_type` VARCHAR(32) NOT NULL,
  `object_id` INTEGER NOT NULL,
  `before` TEXT NOT NULL,
  `after` TEXT NOT NULL,
  `client_ip` VARCHAR(64) NOT NULL,
  `user_agent` VARCHAR(191) NOT NULL,
  `request_id` VARCHAR(32) NOT NULL,
  PRIMARY KEY (`id`),
  INDEX `api_logs_user_id_id_idx` (`user_id`, `id`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

ALTER TABLE `groups` ADD CONSTRAINT `groups_owner_id_fkey` FOREIGN KEY (`owner_id`) REFERENCES `users` (`id`) ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE `accounts` ADD CONSTRAINT `accounts_group_id_fkey` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE `accounts` ADD CONSTRAINT `accounts_owner_id_fkey` FOREIGN KEY (`owner_id`) REFERENCES `users` (`id`) ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE `account_credentials` ADD CONSTRAINT `account_credentials_account_id_fkey` FOREIGN KEY (`account_id`) REFERENCES `accounts` (`id`) ON DELETE CASCADE ON UPDATE RESTRICT;

ALTER TABLE `api_keys` ADD CONSTRAINT `api_keys_user_id_fkey` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE `api_keys` ADD CONSTRAINT `api_keys_group_id_fkey` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE `price_tiers` ADD CONSTRAINT `price_tiers_card_id_fkey` FOREIGN KEY (`card_id`) REFERENCES `price_cards` (`id`) ON DELETE CASCADE ON UPDATE RESTRICT;
