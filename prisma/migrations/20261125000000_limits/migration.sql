-- CreateEnum
CREATE TYPE "address_rule_kind" AS ENUM ('block', 'allow');

-- CreateTable
CREATE TABLE "address_rule" (
    "id" UUID NOT NULL,
    "range" TEXT NOT NULL,
    "kind" "address_rule_kind" NOT NULL,
    "reason" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "until" TIMESTAMPTZ(3),

    CONSTRAINT "address_rule_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "limit_counter" (
    "key" TEXT NOT NULL,
    "points" INTEGER NOT NULL,
    "quota" INTEGER NOT NULL,
    "sliding" BOOLEAN NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "limit_counter_pkey" PRIMARY KEY ("key")
);

-- CreateIndex
CREATE UNIQUE INDEX "address_rule_range_key" ON "address_rule"("range");

-- CreateIndex
CREATE INDEX "limit_counter_expires_at_idx" ON "limit_counter"("expires_at");
