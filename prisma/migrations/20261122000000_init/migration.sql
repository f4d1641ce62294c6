-- CreateEnum
CREATE TYPE "mode" AS ENUM ('cookie', 'json', 'session');

-- CreateEnum
CREATE TYPE "end_reason" AS ENUM ('logout', 'logout_all', 'revoked_by_user', 'revoked_by_admin', 'password_changed', 'password_reset', 'reuse_detected', 'idle', 'expired', 'limit', 'banned', 'deleted', 'factor_changed');

-- CreateEnum
CREATE TYPE "key_state" AS ENUM ('next', 'active', 'retired', 'withdrawn');

-- CreateEnum
CREATE TYPE "revocation_kind" AS ENUM ('session', 'user', 'key');

-- CreateTable
CREATE TABLE "user" (
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT,
    "password_hash" TEXT,
    "roles" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "epoch" BIGINT NOT NULL,
    "email_verified_at" TIMESTAMPTZ(3),
    "banned_at" TIMESTAMPTZ(3),
    "banned_until" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "user_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "refresh_token_family" (
    "id" UUID NOT NULL,
    "user_id" UUID,
    "handle_hash" BYTEA NOT NULL,
    "secret_id" SMALLINT NOT NULL,
    "generation" INTEGER NOT NULL,
    "attempt_hash" BYTEA,
    "attempt_keyed" BOOLEAN NOT NULL DEFAULT false,
    "rotated_at" TIMESTAMPTZ(3),
    "mode" "mode" NOT NULL,
    "remember" BOOLEAN NOT NULL,
    "device_name" TEXT,
    "user_agent" TEXT,
    "ip" TEXT,
    "amr" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "authenticated_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "last_used_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),
    "end_reason" "end_reason",
    "ended_by" UUID,
    "ended_ip" TEXT,
    "ended_user_agent" TEXT,

    CONSTRAINT "refresh_token_family_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "revocation" (
    "id" UUID NOT NULL,
    "kind" "revocation_kind" NOT NULL,
    "subject" TEXT NOT NULL,
    "epoch" BIGINT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "revocation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "signing_key" (
    "kid" TEXT NOT NULL,
    "algorithm" TEXT NOT NULL,
    "state" "key_state" NOT NULL,
    "public_key" JSONB NOT NULL,
    "secret_id" SMALLINT NOT NULL,
    "sealed_private_key" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "activated_at" TIMESTAMPTZ(3),
    "retired_at" TIMESTAMPTZ(3),

    CONSTRAINT "signing_key_pkey" PRIMARY KEY ("kid")
);

-- CreateTable
CREATE TABLE "audit_event" (
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "event" TEXT NOT NULL,
    "user_id" UUID,
    "session_id" UUID,
    "ip" TEXT,
    "user_agent" TEXT,
    "request_id" TEXT,
    "detail" JSONB,

    CONSTRAINT "audit_event_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "user_email_key" ON "user"("email");

-- CreateIndex
CREATE UNIQUE INDEX "refresh_token_family_handle_hash_key" ON "refresh_token_family"("handle_hash");

-- CreateIndex
CREATE INDEX "refresh_token_family_user_id_idx" ON "refresh_token_family"("user_id");

-- CreateIndex
CREATE INDEX "refresh_token_family_expires_at_idx" ON "refresh_token_family"("expires_at");

-- CreateIndex
CREATE INDEX "revocation_created_at_idx" ON "revocation"("created_at");

-- CreateIndex
CREATE INDEX "revocation_expires_at_idx" ON "revocation"("expires_at");

-- CreateIndex
CREATE INDEX "audit_event_user_id_at_idx" ON "audit_event"("user_id", "at");

-- CreateIndex
CREATE INDEX "audit_event_at_idx" ON "audit_event"("at");

-- AddForeignKey
ALTER TABLE "refresh_token_family" ADD CONSTRAINT "refresh_token_family_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE SET NULL ON UPDATE CASCADE;


-- A refresh rewrites its row in place: room left on each page lets Postgres do so without touching an index.
ALTER TABLE "refresh_token_family" SET (fillfactor = 80);
