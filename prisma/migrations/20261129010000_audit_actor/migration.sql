-- AlterTable
-- Null where nobody wrote it down: in events of before, and in those of instances that do not know of it yet.
ALTER TABLE "audit_event" ADD COLUMN     "actor_id" TEXT,
ADD COLUMN     "actor_kind" TEXT;
