-- AlterTable
ALTER TABLE "refresh_token_family" ADD COLUMN     "identity_id" UUID;

-- CreateTable
CREATE TABLE "identity" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "provider" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "email" TEXT,
    "email_verified" BOOLEAN NOT NULL DEFAULT false,
    "tenant" TEXT,
    "name" TEXT,
    "linked_at" TIMESTAMPTZ(3) NOT NULL,
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "identity_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "identity_attempt" (
    "secret_hash" BYTEA NOT NULL,
    "stage" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "sealed" BYTEA,
    "secret_id" SMALLINT,
    "return_to" TEXT,
    "mode" "mode",
    "remember" BOOLEAN NOT NULL DEFAULT true,
    "device_name" TEXT,
    "code_challenge" TEXT,
    "link_user_id" UUID,
    "link_session_id" UUID,
    "browser_hash" BYTEA,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "identity_attempt_pkey" PRIMARY KEY ("secret_hash")
);

-- CreateIndex
CREATE INDEX "identity_user_id_idx" ON "identity"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "identity_issuer_subject_key" ON "identity"("issuer", "subject");

-- CreateIndex
CREATE INDEX "identity_attempt_expires_at_idx" ON "identity_attempt"("expires_at");
