-- CreateEnum
CREATE TYPE "mail_state" AS ENUM ('queued', 'sent', 'void', 'failed');

-- AlterTable
ALTER TABLE "user" ADD COLUMN     "locale" TEXT;

-- CreateTable
CREATE TABLE "mail" (
    "id" UUID NOT NULL,
    "flow_id" UUID,
    "user_id" UUID,
    "kind" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "locale" TEXT NOT NULL,
    "params" JSONB NOT NULL DEFAULT '{}',
    "dedupe" TEXT,
    "state" "mail_state" NOT NULL DEFAULT 'queued',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_at" TIMESTAMPTZ(3) NOT NULL,
    "claimed_until" TIMESTAMPTZ(3),
    "last_code" TEXT,
    "last_error" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "sent_at" TIMESTAMPTZ(3),

    CONSTRAINT "mail_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "flow" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "holder_hash" BYTEA,
    "link_hashes" BYTEA[] DEFAULT ARRAY[]::BYTEA[],
    "code_mac" BYTEA,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "user_id" UUID,
    "email" TEXT,
    "mode" "mode" NOT NULL,
    "remember" BOOLEAN NOT NULL DEFAULT true,
    "device_name" TEXT,
    "locale" TEXT,
    "payload" BYTEA,
    "secret_id" SMALLINT,
    "requested_ip" TEXT,
    "requested_agent" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "sent_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),
    "outcome" TEXT,

    CONSTRAINT "flow_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "mail_dedupe_key" ON "mail"("dedupe");

-- CreateIndex
CREATE INDEX "mail_state_next_at_idx" ON "mail"("state", "next_at");

-- CreateIndex
CREATE INDEX "mail_user_id_idx" ON "mail"("user_id");

-- CreateIndex
CREATE INDEX "flow_kind_email_idx" ON "flow"("kind", "email");

-- CreateIndex
CREATE INDEX "flow_user_id_idx" ON "flow"("user_id");

-- CreateIndex
CREATE INDEX "flow_expires_at_idx" ON "flow"("expires_at");
