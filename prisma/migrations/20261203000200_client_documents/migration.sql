-- AlterTable
ALTER TABLE "oauth_client" ADD COLUMN     "document_expires_at" TIMESTAMPTZ(3);
