CREATE TABLE `users` (
  `id` INTEGER NOT NULL AUTO_INCREMENT,
  `username` VARCHAR(191) NOT NULL,
  `email` VARCHAR(191) NULL,
  `password_hash` VARCHAR(191) NOT NULL,
  `role` ENUM('admin', 'user') NOT NULL DEFAULT 'user',
  `enabled` BOOLEAN NOT NULL DEFAULT true,
  `must_change_password` BOOLEAN NOT NULL DEFAULT false,
  `charge_bp` INTEGER NOT NULL DEFAULT 10000,
  `daily_limit_nano` BIGINT NULL,
  `weekly_limit_nano` BIGINT NULL,
  `monthly_limit_nano` BIGINT NULL,
  `total_limit_nano` BIGINT NULL,
  `rolling_limit_nano` BIGINT NULL,
  `rolling_hours` INTEGER NOT NULL DEFAULT 5,
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
  `returns_to_priority` BOOLEAN NOT NULL DEFAULT true,
  `strip_foreign_reasoning` BOOLEAN NOT NULL DEFAULT false,
  `charge_bp` INTEGER NOT NULL DEFAULT 10000,
  `shared` BOOLEAN NOT NULL DEFAULT false,
  `daily_limit_nano` BIGINT NULL,
  `weekly_limit_nano` BIGINT NULL,
  `monthly_limit_nano` BIGINT NULL,
  `total_limit_nano` BIGINT NULL,
  `rolling_limit_nano` BIGINT NULL,
  `rolling_hours` INTEGER NOT NULL DEFAULT 5,
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
  `owner_id` INTEGER NULL,
  `priority` INTEGER NOT NULL DEFAULT 100,
  `weight` INTEGER NOT NULL DEFAULT 100,
  `concurrency` INTEGER NULL,
  `connect_timeout_seconds` INTEGER NULL,
  `first_byte_timeout_seconds` INTEGER NULL,
  `idle_timeout_seconds` INTEGER NULL,
  `max_utilization` VARCHAR(2000) NOT NULL DEFAULT '{}',
  `models` TEXT NOT NULL,
  `model_mapping` TEXT NOT NULL,
  `flags` VARCHAR(1000) NOT NULL DEFAULT '{}',
  `plan` VARCHAR(60) NOT NULL DEFAULT '',
  `approved` BOOLEAN NOT NULL DEFAULT false,
  `enabled` BOOLEAN NOT NULL DEFAULT true,
  `state` VARCHAR(2000) NOT NULL DEFAULT '{"kind":"ready"}',
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL,
  `deleted_mark` INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  INDEX `accounts_owner_id_idx` (`owner_id`),
  UNIQUE INDEX `accounts_name_deleted_mark_key` (`name`, `deleted_mark`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `account_groups` (
  `account_id` INTEGER NOT NULL,
  `group_id` INTEGER NOT NULL,
  PRIMARY KEY (`account_id`, `group_id`),
  INDEX `account_groups_group_id_idx` (`group_id`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `account_credentials` (
  `account_id` INTEGER NOT NULL,
  `sealed` TEXT NOT NULL,
  `version` INTEGER NOT NULL DEFAULT 1,
  `expires_at_ms` BIGINT NULL,
  `refreshed_at_ms` BIGINT NULL,
  `refresh_started_at_ms` BIGINT NULL,
  `refresh_failure` VARCHAR(191) NOT NULL DEFAULT '',
  `refresh_error` VARCHAR(191) NOT NULL DEFAULT '',
  `refresh_retry_at_ms` BIGINT NULL,
  `updated_at` DATETIME(3) NOT NULL,
  PRIMARY KEY (`account_id`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

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

CREATE TABLE `account_logins` (
  `state_hmac` VARCHAR(191) NOT NULL,
  `user_id` INTEGER NOT NULL,
  `sealed` TEXT NOT NULL,
  `expires_at_ms` BIGINT NOT NULL,
  PRIMARY KEY (`state_hmac`),
  INDEX `account_logins_expires_at_ms_idx` (`expires_at_ms`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `api_keys` (
  `id` INTEGER NOT NULL AUTO_INCREMENT,
  `name` VARCHAR(191) NOT NULL,
  `secret_hmac` VARCHAR(191) NOT NULL,
  `previous_secret_hmac` VARCHAR(191) NULL,
  `previous_until` DATETIME(3) NULL,
  `secret_hint` VARCHAR(191) NOT NULL,
  `user_id` INTEGER NULL,
  `group_id` INTEGER NOT NULL,
  `models` TEXT NOT NULL,
  `allowed_addresses` TEXT NULL,
  `allowed_clients` TEXT NULL,
  `daily_limit_nano` BIGINT NULL,
  `weekly_limit_nano` BIGINT NULL,
  `monthly_limit_nano` BIGINT NULL,
  `total_limit_nano` BIGINT NULL,
  `rolling_limit_nano` BIGINT NULL,
  `rolling_hours` INTEGER NOT NULL DEFAULT 5,
  `requests_per_minute` INTEGER NULL,
  `tokens_per_minute` INTEGER NULL,
  `concurrency` INTEGER NULL,
  `expires_at` DATETIME(3) NULL,
  `valid_for_days` INTEGER NULL,
  `tag` VARCHAR(64) NOT NULL DEFAULT '',
  `enabled` BOOLEAN NOT NULL DEFAULT true,
  `created_at` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  `updated_at` DATETIME(3) NOT NULL,
  `deleted_mark` INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  UNIQUE INDEX `api_keys_secret_hmac_key` (`secret_hmac`),
  UNIQUE INDEX `api_keys_previous_secret_hmac_key` (`previous_secret_hmac`),
  INDEX `api_keys_user_id_idx` (`user_id`),
  INDEX `api_keys_group_id_idx` (`group_id`),
  UNIQUE INDEX `api_keys_name_deleted_mark_key` (`name`, `deleted_mark`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `api_key_sightings` (
  `api_key_id` INTEGER NOT NULL,
  `kind` VARCHAR(16) NOT NULL,
  `value` VARCHAR(120) NOT NULL,
  `first_at_ms` BIGINT NOT NULL,
  `last_at_ms` BIGINT NOT NULL,
  PRIMARY KEY (`api_key_id`, `kind`, `value`),
  INDEX `api_key_sightings_last_at_ms_idx` (`last_at_ms`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

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
  `billed_nano` BIGINT NOT NULL DEFAULT 0,
  `group_charge_bp` INTEGER NOT NULL DEFAULT 10000,
  `user_charge_bp` INTEGER NOT NULL DEFAULT 10000,
  `cache_saved_nano` BIGINT NOT NULL DEFAULT 0,
  `tag` VARCHAR(64) NOT NULL DEFAULT '',
  `journal_id` INTEGER NOT NULL DEFAULT 0,
  `journal_seq` BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  INDEX `logs_api_key_id_id_idx` (`api_key_id`, `id`),
  INDEX `logs_account_id_id_idx` (`account_id`, `id`),
  INDEX `logs_user_id_id_idx` (`user_id`, `id`),
  INDEX `logs_price_source_id_idx` (`price_source`, `id`),
  INDEX `logs_journal_id_journal_seq_idx` (`journal_id`, `journal_seq`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `attempts` (
  `log_id` BIGINT NOT NULL,
  `number` INTEGER NOT NULL,
  `account_id` INTEGER NOT NULL,
  `model_sent` VARCHAR(191) NOT NULL,
  `model_billed` VARCHAR(191) NOT NULL,
  `started_at_ms` BIGINT NOT NULL,
  `outcome` VARCHAR(16) NOT NULL,
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
  `error_code` VARCHAR(80) NOT NULL DEFAULT '',
  `web_searches` INTEGER NOT NULL DEFAULT 0,
  `price_source` VARCHAR(16) NOT NULL DEFAULT 'none',
  `price_multiplier_bp` INTEGER NOT NULL DEFAULT 10000,
  `price_inputs` TEXT NOT NULL,
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
  `tag` VARCHAR(64) NOT NULL,
  `requests` BIGINT NOT NULL,
  `failures` BIGINT NOT NULL,
  `cancelled` BIGINT NOT NULL,
  `rejected` BIGINT NOT NULL,
  `failovers` BIGINT NOT NULL,
  `streamed` BIGINT NOT NULL,
  `input_tokens` BIGINT NOT NULL,
  `output_tokens` BIGINT NOT NULL,
  `cache_write_tokens` BIGINT NOT NULL,
  `cache_read_tokens` BIGINT NOT NULL,
  `web_searches` BIGINT NOT NULL,
  `cost_nano` BIGINT NOT NULL,
  `billed_nano` BIGINT NOT NULL,
  `absorbed_nano` BIGINT NOT NULL,
  `cache_saved_nano` BIGINT NOT NULL,
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
  PRIMARY KEY (`hour_ms`, `api_key_id`, `account_id`, `user_id`, `group_id`, `platform`, `model`, `tag`),
  INDEX `hourly_rollups_api_key_id_hour_ms_idx` (`api_key_id`, `hour_ms`),
  INDEX `hourly_rollups_account_id_hour_ms_idx` (`account_id`, `hour_ms`),
  INDEX `hourly_rollups_user_id_hour_ms_idx` (`user_id`, `hour_ms`),
  INDEX `hourly_rollups_group_id_hour_ms_idx` (`group_id`, `hour_ms`),
  INDEX `hourly_rollups_model_hour_ms_idx` (`model`, `hour_ms`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `daily_rollups` (
  `day` CHAR(10) NOT NULL,
  `api_key_id` INTEGER NOT NULL,
  `account_id` INTEGER NOT NULL,
  `user_id` INTEGER NOT NULL,
  `group_id` INTEGER NOT NULL,
  `platform` VARCHAR(16) NOT NULL,
  `model` VARCHAR(191) NOT NULL,
  `tag` VARCHAR(64) NOT NULL,
  `requests` BIGINT NOT NULL,
  `failures` BIGINT NOT NULL,
  `cancelled` BIGINT NOT NULL,
  `rejected` BIGINT NOT NULL,
  `failovers` BIGINT NOT NULL,
  `streamed` BIGINT NOT NULL,
  `input_tokens` BIGINT NOT NULL,
  `output_tokens` BIGINT NOT NULL,
  `cache_write_tokens` BIGINT NOT NULL,
  `cache_read_tokens` BIGINT NOT NULL,
  `web_searches` BIGINT NOT NULL,
  `cost_nano` BIGINT NOT NULL,
  `billed_nano` BIGINT NOT NULL,
  `absorbed_nano` BIGINT NOT NULL,
  `cache_saved_nano` BIGINT NOT NULL,
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
  PRIMARY KEY (`day`, `api_key_id`, `account_id`, `user_id`, `group_id`, `platform`, `model`, `tag`),
  INDEX `daily_rollups_api_key_id_day_idx` (`api_key_id`, `day`),
  INDEX `daily_rollups_account_id_day_idx` (`account_id`, `day`),
  INDEX `daily_rollups_user_id_day_idx` (`user_id`, `day`),
  INDEX `daily_rollups_group_id_day_idx` (`group_id`, `day`),
  INDEX `daily_rollups_model_day_idx` (`model`, `day`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `hourly_lines` (
  `hour_ms` BIGINT NOT NULL,
  `subject` VARCHAR(8) NOT NULL,
  `subject_id` VARCHAR(191) NOT NULL,
  `requests` BIGINT NOT NULL,
  `failures` BIGINT NOT NULL,
  `cancelled` BIGINT NOT NULL,
  `rejected` BIGINT NOT NULL,
  `failovers` BIGINT NOT NULL,
  `streamed` BIGINT NOT NULL,
  `input_tokens` BIGINT NOT NULL,
  `output_tokens` BIGINT NOT NULL,
  `cache_write_tokens` BIGINT NOT NULL,
  `cache_read_tokens` BIGINT NOT NULL,
  `web_searches` BIGINT NOT NULL,
  `cost_nano` BIGINT NOT NULL,
  `billed_nano` BIGINT NOT NULL,
  `absorbed_nano` BIGINT NOT NULL,
  `cache_saved_nano` BIGINT NOT NULL,
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
  PRIMARY KEY (`subject`, `hour_ms`, `subject_id`),
  INDEX `hourly_lines_subject_subject_id_hour_ms_idx` (`subject`, `subject_id`, `hour_ms`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `daily_lines` (
  `day` CHAR(10) NOT NULL,
  `subject` VARCHAR(8) NOT NULL,
  `subject_id` VARCHAR(191) NOT NULL,
  `requests` BIGINT NOT NULL,
  `failures` BIGINT NOT NULL,
  `cancelled` BIGINT NOT NULL,
  `rejected` BIGINT NOT NULL,
  `failovers` BIGINT NOT NULL,
  `streamed` BIGINT NOT NULL,
  `input_tokens` BIGINT NOT NULL,
  `output_tokens` BIGINT NOT NULL,
  `cache_write_tokens` BIGINT NOT NULL,
  `cache_read_tokens` BIGINT NOT NULL,
  `web_searches` BIGINT NOT NULL,
  `cost_nano` BIGINT NOT NULL,
  `billed_nano` BIGINT NOT NULL,
  `absorbed_nano` BIGINT NOT NULL,
  `cache_saved_nano` BIGINT NOT NULL,
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
  PRIMARY KEY (`subject`, `day`, `subject_id`),
  INDEX `daily_lines_subject_subject_id_day_idx` (`subject`, `subject_id`, `day`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `client_sessions` (
  `api_key_id` INTEGER NOT NULL,
  `user_id` INTEGER NOT NULL,
  `session_id` VARCHAR(191) NOT NULL,
  `started_at_ms` BIGINT NOT NULL,
  `ended_at_ms` BIGINT NOT NULL,
  `requests` BIGINT NOT NULL,
  `failures` BIGINT NOT NULL,
  `cancelled` BIGINT NOT NULL,
  `failovers` BIGINT NOT NULL,
  `input_tokens` BIGINT NOT NULL,
  `output_tokens` BIGINT NOT NULL,
  `cache_write_5m_tokens` BIGINT NOT NULL,
  `cache_write_1h_tokens` BIGINT NOT NULL,
  `cache_read_tokens` BIGINT NOT NULL,
  `cost_nano` BIGINT NOT NULL,
  `billed_nano` BIGINT NOT NULL,
  `absorbed_nano` BIGINT NOT NULL,
  `cache_saved_nano` BIGINT NOT NULL,
  PRIMARY KEY (`api_key_id`, `user_id`, `session_id`),
  INDEX `client_sessions_ended_at_ms_idx` (`ended_at_ms`),
  INDEX `client_sessions_user_id_ended_at_ms_idx` (`user_id`, `ended_at_ms`),
  INDEX `client_sessions_api_key_id_ended_at_ms_idx` (`api_key_id`, `ended_at_ms`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `client_session_parts` (
  `api_key_id` INTEGER NOT NULL,
  `user_id` INTEGER NOT NULL,
  `session_id` VARCHAR(191) NOT NULL,
  `agent_id` VARCHAR(191) NOT NULL,
  `model` VARCHAR(191) NOT NULL,
  `started_at_ms` BIGINT NOT NULL,
  `ended_at_ms` BIGINT NOT NULL,
  `requests` BIGINT NOT NULL,
  `failures` BIGINT NOT NULL,
  `cancelled` BIGINT NOT NULL,
  `failovers` BIGINT NOT NULL,
  `input_tokens` BIGINT NOT NULL,
  `output_tokens` BIGINT NOT NULL,
  `cache_write_5m_tokens` BIGINT NOT NULL,
  `cache_write_1h_tokens` BIGINT NOT NULL,
  `cache_read_tokens` BIGINT NOT NULL,
  `cost_nano` BIGINT NOT NULL,
  `billed_nano` BIGINT NOT NULL,
  `absorbed_nano` BIGINT NOT NULL,
  `cache_saved_nano` BIGINT NOT NULL,
  PRIMARY KEY (`api_key_id`, `user_id`, `session_id`, `agent_id`, `model`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `export_links` (
  `token_hmac` VARCHAR(191) NOT NULL,
  `user_id` INTEGER NOT NULL,
  `request` TEXT NOT NULL,
  `expires_at_ms` BIGINT NOT NULL,
  PRIMARY KEY (`token_hmac`),
  INDEX `export_links_expires_at_ms_idx` (`expires_at_ms`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `rejections` (
  `hour_ms` BIGINT NOT NULL,
  `api_key_id` INTEGER NOT NULL,
  `secret_hash` VARCHAR(8) NOT NULL,
  `user_id` INTEGER NOT NULL,
  `group_id` INTEGER NOT NULL,
  `reason` VARCHAR(32) NOT NULL,
  `requests` BIGINT NOT NULL,
  `last_at_ms` BIGINT NOT NULL DEFAULT 0,
  `message` VARCHAR(300) NOT NULL DEFAULT '',
  PRIMARY KEY (`hour_ms`, `api_key_id`, `secret_hash`, `user_id`, `group_id`, `reason`),
  INDEX `rejections_api_key_id_hour_ms_idx` (`api_key_id`, `hour_ms`)
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
  `account_id` INTEGER NOT NULL DEFAULT 0,
  `origin` VARCHAR(16) NOT NULL DEFAULT 'built_in',
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
  `confirmed` BOOLEAN NOT NULL DEFAULT true,
  `retired_at_ms` BIGINT NULL,
  `created_by_id` INTEGER NOT NULL DEFAULT 0,
  `created_at_ms` BIGINT NOT NULL,
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

CREATE TABLE `account_prices` (
  `id` INTEGER NOT NULL AUTO_INCREMENT,
  `account_id` INTEGER NOT NULL,
  `pattern` VARCHAR(191) NOT NULL,
  `multiplier_bp` INTEGER NULL,
  `card_id` VARCHAR(191) NULL,
  `effective_from_ms` BIGINT NOT NULL,
  `effective_to_ms` BIGINT NULL,
  `retired_at_ms` BIGINT NULL,
  `created_by_id` INTEGER NOT NULL DEFAULT 0,
  `created_at_ms` BIGINT NOT NULL,
  PRIMARY KEY (`id`),
  INDEX `account_prices_account_id_idx` (`account_id`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `reratings` (
  `id` INTEGER NOT NULL AUTO_INCREMENT,
  `created_by_id` INTEGER NOT NULL,
  `started_at_ms` BIGINT NOT NULL,
  `finished_at_ms` BIGINT NULL,
  `filter` TEXT NOT NULL,
  `done_id` BIGINT NOT NULL DEFAULT 0,
  `rows` BIGINT NOT NULL DEFAULT 0,
  `changed` BIGINT NOT NULL DEFAULT 0,
  `cost_before_nano` BIGINT NOT NULL DEFAULT 0,
  `cost_after_nano` BIGINT NOT NULL DEFAULT 0,
  `billed_before_nano` BIGINT NOT NULL DEFAULT 0,
  `billed_after_nano` BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `settings` (
  `name` VARCHAR(191) NOT NULL,
  `value` TEXT NOT NULL,
  `updated_at` DATETIME(3) NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `job_runs` (
  `id` BIGINT NOT NULL,
  `job` VARCHAR(32) NOT NULL,
  `account_id` INTEGER NOT NULL,
  `model` VARCHAR(191) NOT NULL DEFAULT '',
  `started_at_ms` BIGINT NOT NULL,
  `duration_ms` INTEGER NOT NULL,
  `outcome` VARCHAR(16) NOT NULL,
  `status` INTEGER NOT NULL,
  `message` VARCHAR(191) NOT NULL,
  `code` VARCHAR(64) NOT NULL DEFAULT '',
  `counts` VARCHAR(191) NOT NULL DEFAULT '{}',
  `place` VARCHAR(191) NOT NULL DEFAULT '',
  `cost_nano` BIGINT NOT NULL,
  PRIMARY KEY (`id`),
  INDEX `job_runs_account_id_id_idx` (`account_id`, `id`),
  INDEX `job_runs_job_account_id_id_idx` (`job`, `account_id`, `id`)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE `error_rules` (
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
  UNIQUE INDEX `error_rules_name_key` (`name`)
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

ALTER TABLE `accounts` ADD CONSTRAINT `accounts_owner_id_fkey` FOREIGN KEY (`owner_id`) REFERENCES `users` (`id`) ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE `account_groups` ADD CONSTRAINT `account_groups_account_id_fkey` FOREIGN KEY (`account_id`) REFERENCES `accounts` (`id`) ON DELETE CASCADE ON UPDATE RESTRICT;

ALTER TABLE `account_groups` ADD CONSTRAINT `account_groups_group_id_fkey` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE `account_credentials` ADD CONSTRAINT `account_credentials_account_id_fkey` FOREIGN KEY (`account_id`) REFERENCES `accounts` (`id`) ON DELETE CASCADE ON UPDATE RESTRICT;

ALTER TABLE `api_keys` ADD CONSTRAINT `api_keys_user_id_fkey` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE `api_keys` ADD CONSTRAINT `api_keys_group_id_fkey` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE `api_key_sightings` ADD CONSTRAINT `api_key_sightings_api_key_id_fkey` FOREIGN KEY (`api_key_id`) REFERENCES `api_keys` (`id`) ON DELETE CASCADE ON UPDATE RESTRICT;

ALTER TABLE `sessions` ADD CONSTRAINT `sessions_user_id_fkey` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE ON UPDATE RESTRICT;

ALTER TABLE `refresh_tokens` ADD CONSTRAINT `refresh_tokens_session_id_fkey` FOREIGN KEY (`session_id`) REFERENCES `sessions` (`id`) ON DELETE CASCADE ON UPDATE RESTRICT;

ALTER TABLE `price_tiers` ADD CONSTRAINT `price_tiers_card_id_fkey` FOREIGN KEY (`card_id`) REFERENCES `price_cards` (`id`) ON DELETE CASCADE ON UPDATE RESTRICT;
