-- AlterTable
-- The default is what instances write that do not know of the column, and the time of this migration for passwords that
-- were set before it.
ALTER TABLE "user" ADD COLUMN     "last_login_at" TIMESTAMPTZ(3),
ADD COLUMN     "password_set_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;
