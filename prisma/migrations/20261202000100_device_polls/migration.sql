-- AlterTable
ALTER TABLE "oauth_artifact" ADD COLUMN     "polled_at" TIMESTAMPTZ(3);
