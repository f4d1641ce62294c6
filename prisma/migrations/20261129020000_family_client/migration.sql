-- AlterTable
-- The defaults are what instances write that do not know of these columns. Neither is indexed, so that a refresh stays a
-- heap-only update.
ALTER TABLE "refresh_token_family" ADD COLUMN     "client_id" TEXT NOT NULL DEFAULT 'sallyport',
ADD COLUMN     "scope" TEXT NOT NULL DEFAULT '';
