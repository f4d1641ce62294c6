-- AlterEnum
-- No statement here uses the value, because it cannot be used before this transaction is committed.
ALTER TYPE "mode" ADD VALUE 'client';

-- AlterTable
-- The defaults are what instances write that do not know of these columns: their families belong to no other and have no key.
ALTER TABLE "refresh_token_family" ADD COLUMN     "audience" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "children" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "cnf_jkt" TEXT,
ADD COLUMN     "grant_id" TEXT,
ADD COLUMN     "late_generation" INTEGER,
ADD COLUMN     "parent_id" UUID,
ADD COLUMN     "rp_sid" TEXT;
