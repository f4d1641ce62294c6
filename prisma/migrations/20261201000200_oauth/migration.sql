-- AlterTable
ALTER TABLE "signing_key" ADD COLUMN     "use" TEXT NOT NULL DEFAULT 'access_token';

-- CreateTable
CREATE TABLE "oauth_artifact" (
    "kind" TEXT NOT NULL,
    "id_hash" BYTEA NOT NULL,
    "uid" TEXT,
    "user_code" TEXT,
    "grant_id" TEXT,
    "payload" JSONB NOT NULL,
    "family_id" UUID,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "consumed_at" TIMESTAMPTZ(3),
    "reused_at" TIMESTAMPTZ(3),

    CONSTRAINT "oauth_artifact_pkey" PRIMARY KEY ("kind","id_hash")
);

-- CreateTable
CREATE TABLE "oauth_grant" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "client_id" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "resources" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "oauth_grant_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "oauth_artifact_kind_uid_idx" ON "oauth_artifact"("kind", "uid");

-- CreateIndex
CREATE INDEX "oauth_artifact_kind_user_code_idx" ON "oauth_artifact"("kind", "user_code");

-- CreateIndex
CREATE INDEX "oauth_artifact_expires_at_idx" ON "oauth_artifact"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "oauth_grant_user_id_client_id_key" ON "oauth_grant"("user_id", "client_id");

-- CreateIndex
CREATE INDEX "oauth_grant_expires_at_idx" ON "oauth_grant"("expires_at");

-- AddForeignKey
ALTER TABLE "oauth_grant" ADD CONSTRAINT "oauth_grant_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE CASCADE;
