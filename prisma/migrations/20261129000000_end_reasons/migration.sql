-- AlterEnum
-- In a transaction of their own: a value that was added cannot be used before its transaction is committed.
ALTER TYPE "end_reason" ADD VALUE 'not_me';
ALTER TYPE "end_reason" ADD VALUE 'email_change_undone';
ALTER TYPE "end_reason" ADD VALUE 'identity_unlinked';
