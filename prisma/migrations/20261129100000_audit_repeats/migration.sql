-- AlterTable
-- Refusals that repeat within an hour are counted on the row of the first.
ALTER TABLE "audit_event" ADD COLUMN     "last_at" TIMESTAMPTZ(3),
ADD COLUMN     "times" INTEGER NOT NULL DEFAULT 1;
