-- CreateTable
CREATE TABLE "users" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "username" TEXT NOT NULL,
    "email" TEXT,
    "password_hash" TEXT NOT NULL,
    "role" TEXT NOT NULL DEFAULT 'user',
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "must_change_password" BOOLEAN NOT NULL DEFAULT false,
    "charge_bp" INTEGER NOT NULL DEFAULT 10000,
    "daily_limit_nano" BIGINT,
    "weekly_limit_nano" BIGINT,
    "monthly_limit_nano" BIGINT,
    "total_limit_nano" BIGINT,
    "rolling_limit_nano" BIGINT,
    "rolling_hours" INTEGER NOT NULL DEFAULT 5,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,
    "deleted_mark" INTEGER NOT NULL DEFAULT 0
);

-- CreateTable
CREATE TABLE "groups" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" TEXT NOT NULL,
    "remark" TEXT NOT NULL DEFAULT '',
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "returns_to_priority" BOOLEAN NOT NULL DEFAULT true,
    "strip_foreign_reasoning" BOOLEAN NOT NULL DEFAULT false,
    "charge_bp" INTEGER NOT NULL DEFAULT 10000,
    "shared" BOOLEAN NOT NULL DEFAULT false,
    "daily_limit_nano" BIGINT,
    "weekly_limit_nano" BIGINT,
    "monthly_limit_nano" BIGINT,
    "total_limit_nano" BIGINT,
    "rolling_limit_nano" BIGINT,
    "rolling_hours" INTEGER NOT NULL DEFAULT 5,
    "owner_id" INTEGER,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,
    "deleted_mark" INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT "groups_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "users" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT
);

-- CreateTable
CREATE TABLE "accounts" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" TEXT NOT NULL,
    "platform" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "auth_header" TEXT NOT NULL,
    "owner_id" INTEGER,
    "priority" INTEGER NOT NULL DEFAULT 100,
    "weight" INTEGER NOT NULL DEFAULT 100,
    "concurrency" INTEGER,
    "connect_timeout_seconds" INTEGER,
    "first_byte_timeout_seconds" INTEGER,
    "idle_timeout_seconds" INTEGER,
    "max_utilization" TEXT NOT NULL DEFAULT '{}',
    "models" TEXT NOT NULL,
    "model_mapping" TEXT NOT NULL,
    "flags" TEXT NOT NULL DEFAULT '{}',
    "plan" TEXT NOT NULL DEFAULT '',
    "approved" BOOLEAN NOT NULL DEFAULT false,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "state" TEXT NOT NULL DEFAULT '{"kind":"ready"}',
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,
    "deleted_mark" INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT "accounts_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "users" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT
);

-- CreateTable
CREATE TABLE "account_groups" (
    "account_id" INTEGER NOT NULL,
    "group_id" INTEGER NOT NULL,

    PRIMARY KEY ("account_id", "group_id"),
    CONSTRAINT "account_groups_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "accounts" ("id") ON DELETE CASCADE ON UPDATE RESTRICT,
    CONSTRAINT "account_groups_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "groups" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT
);

-- CreateTable
CREATE TABLE "account_credentials" (
    "account_id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "sealed" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "expires_at_ms" BIGINT,
    "refreshed_at_ms" BIGINT,
    "refresh_started_at_ms" BIGINT,
    "refresh_failure" TEXT NOT NULL DEFAULT '',
    "refresh_error" TEXT NOT NULL DEFAULT '',
    "refresh_retry_at_ms" BIGINT,
    "updated_at" DATETIME NOT NULL,
    CONSTRAINT "account_credentials_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "accounts" ("id") ON DELETE CASCADE ON UPDATE RESTRICT
);

-- CreateTable
CREATE TABLE "account_events" (
    "id" BIGINT NOT NULL PRIMARY KEY,
    "account_id" INTEGER NOT NULL,
    "at_ms" BIGINT NOT NULL,
    "from_kind" TEXT NOT NULL,
    "to_kind" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "until_ms" BIGINT,
    "next_probe_at_ms" BIGINT,
    "reason" TEXT NOT NULL,
    "cause" TEXT NOT NULL,
    "status" INTEGER NOT NULL,
    "error_type" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "request_id" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "account_gauges" (
    "account_id" INTEGER NOT NULL,
    "window_name" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "utilization_ppm" INTEGER NOT NULL,
    "reset_at_ms" BIGINT,
    "at_ms" BIGINT NOT NULL,

    PRIMARY KEY ("account_id", "window_name")
);

-- CreateTable
CREATE TABLE "account_gauge_points" (
    "account_id" INTEGER NOT NULL,
    "window_name" TEXT NOT NULL,
    "at_ms" BIGINT NOT NULL,
    "status" TEXT NOT NULL,
    "utilization_ppm" INTEGER NOT NULL,
    "reset_at_ms" BIGINT,

    PRIMARY KEY ("account_id", "window_name", "at_ms")
);

-- CreateTable
CREATE TABLE "account_logins" (
    "state_hmac" TEXT NOT NULL PRIMARY KEY,
    "user_id" INTEGER NOT NULL,
    "sealed" TEXT NOT NULL,
    "expires_at_ms" BIGINT NOT NULL
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" TEXT NOT NULL,
    "secret_hmac" TEXT NOT NULL,
    "previous_secret_hmac" TEXT,
    "previous_until" DATETIME,
    "secret_hint" TEXT NOT NULL,
    "user_id" INTEGER,
    "group_id" INTEGER NOT NULL,
    "models" TEXT NOT NULL,
    "allowed_addresses" TEXT,
    "allowed_clients" TEXT,
    "daily_limit_nano" BIGINT,
    "weekly_limit_nano" BIGINT,
    "monthly_limit_nano" BIGINT,
    "total_limit_nano" BIGINT,
    "rolling_limit_nano" BIGINT,
    "rolling_hours" INTEGER NOT NULL DEFAULT 5,
    "requests_per_minute" INTEGER,
    "tokens_per_minute" INTEGER,
    "concurrency" INTEGER,
    "expires_at" DATETIME,
    "valid_for_days" INTEGER,
    "tag" TEXT NOT NULL DEFAULT '',
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,
    "deleted_mark" INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT "api_keys_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT "api_keys_group_id_fkey" FOREIGN KEY ("group_id") REFERENCES "groups" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT
);

-- CreateTable
CREATE TABLE "api_key_sightings" (
    "api_key_id" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "first_at_ms" BIGINT NOT NULL,
    "last_at_ms" BIGINT NOT NULL,

    PRIMARY KEY ("api_key_id", "kind", "value"),
    CONSTRAINT "api_key_sightings_api_key_id_fkey" FOREIGN KEY ("api_key_id") REFERENCES "api_keys" ("id") ON DELETE CASCADE ON UPDATE RESTRICT
);

-- CreateTable
CREATE TABLE "sessions" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "user_id" INTEGER NOT NULL,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" DATETIME NOT NULL,
    "revoked_at" DATETIME,
    "client_ip" TEXT NOT NULL,
    "user_agent" TEXT NOT NULL,
    CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE ON UPDATE RESTRICT
);

-- CreateTable
CREATE TABLE "refresh_tokens" (
    "token_hmac" TEXT NOT NULL PRIMARY KEY,
    "session_id" INTEGER NOT NULL,
    "expires_at" DATETIME NOT NULL,
    "used_at" DATETIME,
    CONSTRAINT "refresh_tokens_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions" ("id") ON DELETE CASCADE ON UPDATE RESTRICT
);

-- CreateTable
CREATE TABLE "sign_in_tries" (
    "subject" TEXT NOT NULL PRIMARY KEY,
    "tries" INTEGER NOT NULL,
    "first_at_ms" BIGINT NOT NULL
);

-- CreateTable
CREATE TABLE "logs" (
    "id" BIGINT NOT NULL PRIMARY KEY,
    "started_at_ms" BIGINT NOT NULL,
    "api_key_id" INTEGER NOT NULL,
    "user_id" INTEGER NOT NULL,
    "group_id" INTEGER NOT NULL,
    "account_id" INTEGER NOT NULL,
    "platform" TEXT NOT NULL,
    "model_requested" TEXT NOT NULL,
    "model_sent" TEXT NOT NULL,
    "model_billed" TEXT NOT NULL,
    "stream" BOOLEAN NOT NULL,
    "outcome" TEXT NOT NULL,
    "http_status" INTEGER NOT NULL,
    "error_type" TEXT NOT NULL,
    "stop_reason" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL,
    "first_byte_ms" INTEGER NOT NULL,
    "duration_ms" INTEGER NOT NULL,
    "input_tokens" BIGINT NOT NULL,
    "output_tokens" BIGINT NOT NULL,
    "cache_write_5m_tokens" BIGINT NOT NULL,
    "cache_write_1h_tokens" BIGINT NOT NULL,
    "cache_read_tokens" BIGINT NOT NULL,
    "thinking_tokens" BIGINT NOT NULL,
    "web_searches" INTEGER NOT NULL,
    "usage_source" TEXT NOT NULL,
    "usage_raw" TEXT NOT NULL,
    "flags" TEXT NOT NULL,
    "cost_nano" BIGINT NOT NULL,
    "input_cost_nano" BIGINT NOT NULL,
    "output_cost_nano" BIGINT NOT NULL,
    "cache_write_cost_nano" BIGINT NOT NULL,
    "cache_read_cost_nano" BIGINT NOT NULL,
    "unit_cost_nano" BIGINT NOT NULL,
    "price_card_id" TEXT NOT NULL,
    "price_source" TEXT NOT NULL,
    "price_tier_min_tokens" INTEGER NOT NULL,
    "price_modifiers" TEXT NOT NULL,
    "session_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "client_ip" TEXT NOT NULL,
    "user_agent" TEXT NOT NULL,
    "request_bytes" INTEGER NOT NULL,
    "billed_nano" BIGINT NOT NULL DEFAULT 0,
    "group_charge_bp" INTEGER NOT NULL DEFAULT 10000,
    "user_charge_bp" INTEGER NOT NULL DEFAULT 10000,
    "cache_saved_nano" BIGINT NOT NULL DEFAULT 0,
    "tag" TEXT NOT NULL DEFAULT '',
    "journal_id" INTEGER NOT NULL DEFAULT 0,
    "journal_seq" BIGINT NOT NULL DEFAULT 0
);

-- CreateTable
CREATE TABLE "attempts" (
    "log_id" BIGINT NOT NULL,
    "number" INTEGER NOT NULL,
    "account_id" INTEGER NOT NULL,
    "model_sent" TEXT NOT NULL,
    "model_billed" TEXT NOT NULL,
    "started_at_ms" BIGINT NOT NULL,
    "outcome" TEXT NOT NULL,
    "http_status" INTEGER NOT NULL,
    "error_type" TEXT NOT NULL,
    "upstream_request_id" TEXT NOT NULL,
    "first_byte_ms" INTEGER NOT NULL,
    "duration_ms" INTEGER NOT NULL,
    "charged" BOOLEAN NOT NULL,
    "input_tokens" BIGINT NOT NULL,
    "output_tokens" BIGINT NOT NULL,
    "cache_write_5m_tokens" BIGINT NOT NULL,
    "cache_write_1h_tokens" BIGINT NOT NULL,
    "cache_read_tokens" BIGINT NOT NULL,
    "usage_source" TEXT NOT NULL,
    "cost_nano" BIGINT NOT NULL,
    "price_card_id" TEXT NOT NULL,
    "error_code" TEXT NOT NULL DEFAULT '',
    "web_searches" INTEGER NOT NULL DEFAULT 0,
    "price_source" TEXT NOT NULL DEFAULT 'none',
    "price_multiplier_bp" INTEGER NOT NULL DEFAULT 10000,
    "price_inputs" TEXT NOT NULL,

    PRIMARY KEY ("log_id", "number")
);

-- CreateTable
CREATE TABLE "hourly_rollups" (
    "hour_ms" BIGINT NOT NULL,
    "api_key_id" INTEGER NOT NULL,
    "account_id" INTEGER NOT NULL,
    "user_id" INTEGER NOT NULL,
    "group_id" INTEGER NOT NULL,
    "platform" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "tag" TEXT NOT NULL,
    "requests" BIGINT NOT NULL,
    "failures" BIGINT NOT NULL,
    "cancelled" BIGINT NOT NULL,
    "rejected" BIGINT NOT NULL,
    "failovers" BIGINT NOT NULL,
    "streamed" BIGINT NOT NULL,
    "input_tokens" BIGINT NOT NULL,
    "output_tokens" BIGINT NOT NULL,
    "cache_write_tokens" BIGINT NOT NULL,
    "cache_read_tokens" BIGINT NOT NULL,
    "web_searches" BIGINT NOT NULL,
    "cost_nano" BIGINT NOT NULL,
    "billed_nano" BIGINT NOT NULL,
    "absorbed_nano" BIGINT NOT NULL,
    "cache_saved_nano" BIGINT NOT NULL,
    "duration_ms_sum" BIGINT NOT NULL,
    "first_byte_ms_sum" BIGINT NOT NULL,
    "first_byte_count" BIGINT NOT NULL,
    "duration_le_500" BIGINT NOT NULL,
    "duration_le_1000" BIGINT NOT NULL,
    "duration_le_2000" BIGINT NOT NULL,
    "duration_le_5000" BIGINT NOT NULL,
    "duration_le_10000" BIGINT NOT NULL,
    "duration_le_20000" BIGINT NOT NULL,
    "duration_le_60000" BIGINT NOT NULL,
    "duration_le_180000" BIGINT NOT NULL,
    "duration_more" BIGINT NOT NULL,
    "first_byte_le_250" BIGINT NOT NULL,
    "first_byte_le_500" BIGINT NOT NULL,
    "first_byte_le_1000" BIGINT NOT NULL,
    "first_byte_le_2000" BIGINT NOT NULL,
    "first_byte_le_5000" BIGINT NOT NULL,
    "first_byte_le_10000" BIGINT NOT NULL,
    "first_byte_le_30000" BIGINT NOT NULL,
    "first_byte_more" BIGINT NOT NULL,

    PRIMARY KEY ("hour_ms", "api_key_id", "account_id", "user_id", "group_id", "platform", "model", "tag")
);

-- CreateTable
CREATE TABLE "daily_rollups" (
    "day" TEXT NOT NULL,
    "api_key_id" INTEGER NOT NULL,
    "account_id" INTEGER NOT NULL,
    "user_id" INTEGER NOT NULL,
    "group_id" INTEGER NOT NULL,
    "platform" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "tag" TEXT NOT NULL,
    "requests" BIGINT NOT NULL,
    "failures" BIGINT NOT NULL,
    "cancelled" BIGINT NOT NULL,
    "rejected" BIGINT NOT NULL,
    "failovers" BIGINT NOT NULL,
    "streamed" BIGINT NOT NULL,
    "input_tokens" BIGINT NOT NULL,
    "output_tokens" BIGINT NOT NULL,
    "cache_write_tokens" BIGINT NOT NULL,
    "cache_read_tokens" BIGINT NOT NULL,
    "web_searches" BIGINT NOT NULL,
    "cost_nano" BIGINT NOT NULL,
    "billed_nano" BIGINT NOT NULL,
    "absorbed_nano" BIGINT NOT NULL,
    "cache_saved_nano" BIGINT NOT NULL,
    "duration_ms_sum" BIGINT NOT NULL,
    "first_byte_ms_sum" BIGINT NOT NULL,
    "first_byte_count" BIGINT NOT NULL,
    "duration_le_500" BIGINT NOT NULL,
    "duration_le_1000" BIGINT NOT NULL,
    "duration_le_2000" BIGINT NOT NULL,
    "duration_le_5000" BIGINT NOT NULL,
    "duration_le_10000" BIGINT NOT NULL,
    "duration_le_20000" BIGINT NOT NULL,
    "duration_le_60000" BIGINT NOT NULL,
    "duration_le_180000" BIGINT NOT NULL,
    "duration_more" BIGINT NOT NULL,
    "first_byte_le_250" BIGINT NOT NULL,
    "first_byte_le_500" BIGINT NOT NULL,
    "first_byte_le_1000" BIGINT NOT NULL,
    "first_byte_le_2000" BIGINT NOT NULL,
    "first_byte_le_5000" BIGINT NOT NULL,
    "first_byte_le_10000" BIGINT NOT NULL,
    "first_byte_le_30000" BIGINT NOT NULL,
    "first_byte_more" BIGINT NOT NULL,

    PRIMARY KEY ("day", "api_key_id", "account_id", "user_id", "group_id", "platform", "model", "tag")
);

-- CreateTable
CREATE TABLE "hourly_lines" (
    "hour_ms" BIGINT NOT NULL,
    "subject" TEXT NOT NULL,
    "subject_id" TEXT NOT NULL,
    "requests" BIGINT NOT NULL,
    "failures" BIGINT NOT NULL,
    "cancelled" BIGINT NOT NULL,
    "rejected" BIGINT NOT NULL,
    "failovers" BIGINT NOT NULL,
    "streamed" BIGINT NOT NULL,
    "input_tokens" BIGINT NOT NULL,
    "output_tokens" BIGINT NOT NULL,
    "cache_write_tokens" BIGINT NOT NULL,
    "cache_read_tokens" BIGINT NOT NULL,
    "web_searches" BIGINT NOT NULL,
    "cost_nano" BIGINT NOT NULL,
    "billed_nano" BIGINT NOT NULL,
    "absorbed_nano" BIGINT NOT NULL,
    "cache_saved_nano" BIGINT NOT NULL,
    "duration_ms_sum" BIGINT NOT NULL,
    "first_byte_ms_sum" BIGINT NOT NULL,
    "first_byte_count" BIGINT NOT NULL,
    "duration_le_500" BIGINT NOT NULL,
    "duration_le_1000" BIGINT NOT NULL,
    "duration_le_2000" BIGINT NOT NULL,
    "duration_le_5000" BIGINT NOT NULL,
    "duration_le_10000" BIGINT NOT NULL,
    "duration_le_20000" BIGINT NOT NULL,
    "duration_le_60000" BIGINT NOT NULL,
    "duration_le_180000" BIGINT NOT NULL,
    "duration_more" BIGINT NOT NULL,
    "first_byte_le_250" BIGINT NOT NULL,
    "first_byte_le_500" BIGINT NOT NULL,
    "first_byte_le_1000" BIGINT NOT NULL,
    "first_byte_le_2000" BIGINT NOT NULL,
    "first_byte_le_5000" BIGINT NOT NULL,
    "first_byte_le_10000" BIGINT NOT NULL,
    "first_byte_le_30000" BIGINT NOT NULL,
    "first_byte_more" BIGINT NOT NULL,

    PRIMARY KEY ("subject", "hour_ms", "subject_id")
);

-- CreateTable
CREATE TABLE "daily_lines" (
    "day" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "subject_id" TEXT NOT NULL,
    "requests" BIGINT NOT NULL,
    "failures" BIGINT NOT NULL,
    "cancelled" BIGINT NOT NULL,
    "rejected" BIGINT NOT NULL,
    "failovers" BIGINT NOT NULL,
    "streamed" BIGINT NOT NULL,
    "input_tokens" BIGINT NOT NULL,
    "output_tokens" BIGINT NOT NULL,
    "cache_write_tokens" BIGINT NOT NULL,
    "cache_read_tokens" BIGINT NOT NULL,
    "web_searches" BIGINT NOT NULL,
    "cost_nano" BIGINT NOT NULL,
    "billed_nano" BIGINT NOT NULL,
    "absorbed_nano" BIGINT NOT NULL,
    "cache_saved_nano" BIGINT NOT NULL,
    "duration_ms_sum" BIGINT NOT NULL,
    "first_byte_ms_sum" BIGINT NOT NULL,
    "first_byte_count" BIGINT NOT NULL,
    "duration_le_500" BIGINT NOT NULL,
    "duration_le_1000" BIGINT NOT NULL,
    "duration_le_2000" BIGINT NOT NULL,
    "duration_le_5000" BIGINT NOT NULL,
    "duration_le_10000" BIGINT NOT NULL,
    "duration_le_20000" BIGINT NOT NULL,
    "duration_le_60000" BIGINT NOT NULL,
    "duration_le_180000" BIGINT NOT NULL,
    "duration_more" BIGINT NOT NULL,
    "first_byte_le_250" BIGINT NOT NULL,
    "first_byte_le_500" BIGINT NOT NULL,
    "first_byte_le_1000" BIGINT NOT NULL,
    "first_byte_le_2000" BIGINT NOT NULL,
    "first_byte_le_5000" BIGINT NOT NULL,
    "first_byte_le_10000" BIGINT NOT NULL,
    "first_byte_le_30000" BIGINT NOT NULL,
    "first_byte_more" BIGINT NOT NULL,

    PRIMARY KEY ("subject", "day", "subject_id")
);

-- CreateTable
CREATE TABLE "client_sessions" (
    "api_key_id" INTEGER NOT NULL,
    "user_id" INTEGER NOT NULL,
    "session_id" TEXT NOT NULL,
    "started_at_ms" BIGINT NOT NULL,
    "ended_at_ms" BIGINT NOT NULL,
    "requests" BIGINT NOT NULL,
    "failures" BIGINT NOT NULL,
    "cancelled" BIGINT NOT NULL,
    "failovers" BIGINT NOT NULL,
    "input_tokens" BIGINT NOT NULL,
    "output_tokens" BIGINT NOT NULL,
    "cache_write_5m_tokens" BIGINT NOT NULL,
    "cache_write_1h_tokens" BIGINT NOT NULL,
    "cache_read_tokens" BIGINT NOT NULL,
    "cost_nano" BIGINT NOT NULL,
    "billed_nano" BIGINT NOT NULL,
    "absorbed_nano" BIGINT NOT NULL,
    "cache_saved_nano" BIGINT NOT NULL,

    PRIMARY KEY ("api_key_id", "user_id", "session_id")
);

-- CreateTable
CREATE TABLE "client_session_parts" (
    "api_key_id" INTEGER NOT NULL,
    "user_id" INTEGER NOT NULL,
    "session_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "started_at_ms" BIGINT NOT NULL,
    "ended_at_ms" BIGINT NOT NULL,
    "requests" BIGINT NOT NULL,
    "failures" BIGINT NOT NULL,
    "cancelled" BIGINT NOT NULL,
    "failovers" BIGINT NOT NULL,
    "input_tokens" BIGINT NOT NULL,
    "output_tokens" BIGINT NOT NULL,
    "cache_write_5m_tokens" BIGINT NOT NULL,
    "cache_write_1h_tokens" BIGINT NOT NULL,
    "cache_read_tokens" BIGINT NOT NULL,
    "cost_nano" BIGINT NOT NULL,
    "billed_nano" BIGINT NOT NULL,
    "absorbed_nano" BIGINT NOT NULL,
    "cache_saved_nano" BIGINT NOT NULL,

    PRIMARY KEY ("api_key_id", "user_id", "session_id", "agent_id", "model")
);

-- CreateTable
CREATE TABLE "export_links" (
    "token_hmac" TEXT NOT NULL PRIMARY KEY,
    "user_id" INTEGER NOT NULL,
    "request" TEXT NOT NULL,
    "expires_at_ms" BIGINT NOT NULL
);

-- CreateTable
CREATE TABLE "rejections" (
    "hour_ms" BIGINT NOT NULL,
    "api_key_id" INTEGER NOT NULL,
    "secret_hash" TEXT NOT NULL,
    "user_id" INTEGER NOT NULL,
    "group_id" INTEGER NOT NULL,
    "reason" TEXT NOT NULL,
    "requests" BIGINT NOT NULL,
    "last_at_ms" BIGINT NOT NULL DEFAULT 0,
    "message" TEXT NOT NULL DEFAULT '',

    PRIMARY KEY ("hour_ms", "api_key_id", "secret_hash", "user_id", "group_id", "reason")
);

-- CreateTable
CREATE TABLE "journals" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" TEXT NOT NULL,
    "settled_seq" BIGINT NOT NULL DEFAULT 0,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- CreateTable
CREATE TABLE "price_cards" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "account_id" INTEGER NOT NULL DEFAULT 0,
    "origin" TEXT NOT NULL DEFAULT 'built_in',
    "provider" TEXT NOT NULL,
    "pattern" TEXT NOT NULL,
    "match_kind" TEXT NOT NULL,
    "effective_from_ms" BIGINT NOT NULL,
    "effective_to_ms" BIGINT,
    "geo_us_bp" INTEGER NOT NULL DEFAULT 10000,
    "batch_bp" INTEGER NOT NULL DEFAULT 10000,
    "web_search_nano" BIGINT NOT NULL DEFAULT 0,
    "peaks" TEXT NOT NULL DEFAULT '[]',
    "source" TEXT NOT NULL,
    "checked_at" TEXT NOT NULL,
    "confirmed" BOOLEAN NOT NULL DEFAULT true,
    "retired_at_ms" BIGINT,
    "created_by_id" INTEGER NOT NULL DEFAULT 0,
    "created_at_ms" BIGINT NOT NULL
);

-- CreateTable
CREATE TABLE "price_tiers" (
    "card_id" TEXT NOT NULL,
    "above_prompt_tokens" INTEGER NOT NULL,
    "speed" TEXT NOT NULL,
    "input_pico" BIGINT NOT NULL,
    "output_pico" BIGINT NOT NULL,
    "cache_write_5m_pico" BIGINT NOT NULL,
    "cache_write_1h_pico" BIGINT NOT NULL,
    "cache_read_pico" BIGINT NOT NULL,
    "derived" BOOLEAN NOT NULL DEFAULT false,

    PRIMARY KEY ("card_id", "above_prompt_tokens", "speed"),
    CONSTRAINT "price_tiers_card_id_fkey" FOREIGN KEY ("card_id") REFERENCES "price_cards" ("id") ON DELETE CASCADE ON UPDATE RESTRICT
);

-- CreateTable
CREATE TABLE "account_prices" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "account_id" INTEGER NOT NULL,
    "pattern" TEXT NOT NULL,
    "multiplier_bp" INTEGER,
    "card_id" TEXT,
    "effective_from_ms" BIGINT NOT NULL,
    "effective_to_ms" BIGINT,
    "retired_at_ms" BIGINT,
    "created_by_id" INTEGER NOT NULL DEFAULT 0,
    "created_at_ms" BIGINT NOT NULL
);

-- CreateTable
CREATE TABLE "reratings" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "created_by_id" INTEGER NOT NULL,
    "started_at_ms" BIGINT NOT NULL,
    "finished_at_ms" BIGINT,
    "filter" TEXT NOT NULL,
    "done_id" BIGINT NOT NULL DEFAULT 0,
    "rows" BIGINT NOT NULL DEFAULT 0,
    "changed" BIGINT NOT NULL DEFAULT 0,
    "cost_before_nano" BIGINT NOT NULL DEFAULT 0,
    "cost_after_nano" BIGINT NOT NULL DEFAULT 0,
    "billed_before_nano" BIGINT NOT NULL DEFAULT 0,
    "billed_after_nano" BIGINT NOT NULL DEFAULT 0
);

-- CreateTable
CREATE TABLE "settings" (
    "name" TEXT NOT NULL PRIMARY KEY,
    "value" TEXT NOT NULL,
    "updated_at" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "job_runs" (
    "id" BIGINT NOT NULL PRIMARY KEY,
    "job" TEXT NOT NULL,
    "account_id" INTEGER NOT NULL,
    "model" TEXT NOT NULL DEFAULT '',
    "started_at_ms" BIGINT NOT NULL,
    "duration_ms" INTEGER NOT NULL,
    "outcome" TEXT NOT NULL,
    "status" INTEGER NOT NULL,
    "message" TEXT NOT NULL,
    "code" TEXT NOT NULL DEFAULT '',
    "counts" TEXT NOT NULL DEFAULT '{}',
    "place" TEXT NOT NULL DEFAULT '',
    "cost_nano" BIGINT NOT NULL
);

-- CreateTable
CREATE TABLE "error_rules" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "platform" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "error_type" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "effect" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "duration_seconds" INTEGER,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "api_logs" (
    "id" BIGINT NOT NULL PRIMARY KEY,
    "at_ms" BIGINT NOT NULL,
    "user_id" INTEGER NOT NULL,
    "action" TEXT NOT NULL,
    "object_type" TEXT NOT NULL,
    "object_id" INTEGER NOT NULL,
    "before" TEXT NOT NULL,
    "after" TEXT NOT NULL,
    "client_ip" TEXT NOT NULL,
    "user_agent" TEXT NOT NULL,
    "request_id" TEXT NOT NULL
);

-- CreateIndex
CREATE UNIQUE INDEX "users_username_deleted_mark_key" ON "users"("username", "deleted_mark");

-- CreateIndex
CREATE UNIQUE INDEX "users_email_deleted_mark_key" ON "users"("email", "deleted_mark");

-- CreateIndex
CREATE INDEX "groups_owner_id_idx" ON "groups"("owner_id");

-- CreateIndex
CREATE UNIQUE INDEX "groups_name_deleted_mark_key" ON "groups"("name", "deleted_mark");

-- CreateIndex
CREATE INDEX "accounts_owner_id_idx" ON "accounts"("owner_id");

-- CreateIndex
CREATE UNIQUE INDEX "accounts_name_deleted_mark_key" ON "accounts"("name", "deleted_mark");

-- CreateIndex
CREATE INDEX "account_groups_group_id_idx" ON "account_groups"("group_id");

-- CreateIndex
CREATE INDEX "account_events_account_id_id_idx" ON "account_events"("account_id", "id");

-- CreateIndex
CREATE INDEX "account_gauge_points_at_ms_idx" ON "account_gauge_points"("at_ms");

-- CreateIndex
CREATE INDEX "account_logins_expires_at_ms_idx" ON "account_logins"("expires_at_ms");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_secret_hmac_key" ON "api_keys"("secret_hmac");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_previous_secret_hmac_key" ON "api_keys"("previous_secret_hmac");

-- CreateIndex
CREATE INDEX "api_keys_user_id_idx" ON "api_keys"("user_id");

-- CreateIndex
CREATE INDEX "api_keys_group_id_idx" ON "api_keys"("group_id");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_name_deleted_mark_key" ON "api_keys"("name", "deleted_mark");

-- CreateIndex
CREATE INDEX "api_key_sightings_last_at_ms_idx" ON "api_key_sightings"("last_at_ms");

-- CreateIndex
CREATE INDEX "sessions_user_id_idx" ON "sessions"("user_id");

-- CreateIndex
CREATE INDEX "sessions_expires_at_idx" ON "sessions"("expires_at");

-- CreateIndex
CREATE INDEX "refresh_tokens_session_id_idx" ON "refresh_tokens"("session_id");

-- CreateIndex
CREATE INDEX "sign_in_tries_first_at_ms_idx" ON "sign_in_tries"("first_at_ms");

-- CreateIndex
CREATE INDEX "logs_api_key_id_id_idx" ON "logs"("api_key_id", "id");

-- CreateIndex
CREATE INDEX "logs_account_id_id_idx" ON "logs"("account_id", "id");

-- CreateIndex
CREATE INDEX "logs_user_id_id_idx" ON "logs"("user_id", "id");

-- CreateIndex
CREATE INDEX "logs_price_source_id_idx" ON "logs"("price_source", "id");

-- CreateIndex
CREATE INDEX "logs_journal_id_journal_seq_idx" ON "logs"("journal_id", "journal_seq");

-- CreateIndex
CREATE INDEX "hourly_rollups_api_key_id_hour_ms_idx" ON "hourly_rollups"("api_key_id", "hour_ms");

-- CreateIndex
CREATE INDEX "hourly_rollups_account_id_hour_ms_idx" ON "hourly_rollups"("account_id", "hour_ms");

-- CreateIndex
CREATE INDEX "hourly_rollups_user_id_hour_ms_idx" ON "hourly_rollups"("user_id", "hour_ms");

-- CreateIndex
CREATE INDEX "hourly_rollups_group_id_hour_ms_idx" ON "hourly_rollups"("group_id", "hour_ms");

-- CreateIndex
CREATE INDEX "hourly_rollups_model_hour_ms_idx" ON "hourly_rollups"("model", "hour_ms");

-- CreateIndex
CREATE INDEX "daily_rollups_api_key_id_day_idx" ON "daily_rollups"("api_key_id", "day");

-- CreateIndex
CREATE INDEX "daily_rollups_account_id_day_idx" ON "daily_rollups"("account_id", "day");

-- CreateIndex
CREATE INDEX "daily_rollups_user_id_day_idx" ON "daily_rollups"("user_id", "day");

-- CreateIndex
CREATE INDEX "daily_rollups_group_id_day_idx" ON "daily_rollups"("group_id", "day");

-- CreateIndex
CREATE INDEX "daily_rollups_model_day_idx" ON "daily_rollups"("model", "day");

-- CreateIndex
CREATE INDEX "hourly_lines_subject_subject_id_hour_ms_idx" ON "hourly_lines"("subject", "subject_id", "hour_ms");

-- CreateIndex
CREATE INDEX "daily_lines_subject_subject_id_day_idx" ON "daily_lines"("subject", "subject_id", "day");

-- CreateIndex
CREATE INDEX "client_sessions_ended_at_ms_idx" ON "client_sessions"("ended_at_ms");

-- CreateIndex
CREATE INDEX "client_sessions_user_id_ended_at_ms_idx" ON "client_sessions"("user_id", "ended_at_ms");

-- CreateIndex
CREATE INDEX "client_sessions_api_key_id_ended_at_ms_idx" ON "client_sessions"("api_key_id", "ended_at_ms");

-- CreateIndex
CREATE INDEX "export_links_expires_at_ms_idx" ON "export_links"("expires_at_ms");

-- CreateIndex
CREATE INDEX "rejections_api_key_id_hour_ms_idx" ON "rejections"("api_key_id", "hour_ms");

-- CreateIndex
CREATE UNIQUE INDEX "journals_name_key" ON "journals"("name");

-- CreateIndex
CREATE INDEX "price_cards_pattern_idx" ON "price_cards"("pattern");

-- CreateIndex
CREATE INDEX "account_prices_account_id_idx" ON "account_prices"("account_id");

-- CreateIndex
CREATE INDEX "job_runs_account_id_id_idx" ON "job_runs"("account_id", "id");

-- CreateIndex
CREATE INDEX "job_runs_job_account_id_id_idx" ON "job_runs"("job", "account_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "error_rules_name_key" ON "error_rules"("name");

-- CreateIndex
CREATE INDEX "api_logs_user_id_id_idx" ON "api_logs"("user_id", "id");
