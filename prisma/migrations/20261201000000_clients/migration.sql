-- CreateTable
CREATE TABLE "oauth_client" (
    "id" UUID NOT NULL,
    "client_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "metadata" JSONB NOT NULL,
    "secret_hashes" JSONB NOT NULL DEFAULT '[]',
    "first_party" BOOLEAN NOT NULL DEFAULT false,
    "epoch" BIGINT NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "disabled_at" TIMESTAMPTZ(3),

    CONSTRAINT "oauth_client_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "oauth_resource" (
    "identifier" TEXT NOT NULL,
    "name" TEXT,
    "scopes" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "access_ttl" INTEGER,
    "alg" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "oauth_resource_pkey" PRIMARY KEY ("identifier")
);

-- CreateTable
-- Not rows of "revocation": instances of the previous version read those all, and would fail at a kind unknown to them.
CREATE TABLE "client_revocation" (
    "id" UUID NOT NULL,
    "client_id" TEXT NOT NULL,
    "epoch" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "client_revocation_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "oauth_client_client_id_key" ON "oauth_client"("client_id");

-- CreateIndex
CREATE INDEX "oauth_client_secret_hashes_idx" ON "oauth_client" USING GIN ("secret_hashes" jsonb_path_ops);

-- CreateIndex
CREATE INDEX "client_revocation_created_at_idx" ON "client_revocation"("created_at");

-- CreateIndex
CREATE INDEX "client_revocation_expires_at_idx" ON "client_revocation"("expires_at");
