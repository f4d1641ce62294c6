-- CreateTable
CREATE TABLE "backchannel_logout" (
    "id" UUID NOT NULL,
    "client_id" TEXT NOT NULL,
    "uri" TEXT NOT NULL,
    "alg" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "sid" TEXT NOT NULL,
    "family_id" UUID NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "backchannel_logout_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "backchannel_logout_next_at_idx" ON "backchannel_logout"("next_at");
